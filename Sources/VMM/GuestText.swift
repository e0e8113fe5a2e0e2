// Text that a guest or its image brought along, made fit for the operator's terminal and for JSON.
//
// It is hostile: escape sequences drive a terminal, and letters that reorder text make a line say something else.
// Read next: CrashReport.swift.

/// On one line, with what controls, hides or reorders text as dots.
func guestText(_ bytes: [UInt8]) -> String {
    String(
        String.UnicodeScalarView(
            String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: "."
                default: scalar
                }
            }))
}

/// What stands between the quotes of a JSON string (RFC 8259, section 7); control characters as spaces.
func jsonText(_ text: String) -> String {
    // By scalars: a quote and a combining mark behind it are one Character, and would pass.
    text.unicodeScalars.reduce(into: "") { result, scalar in
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 0x20: result += " "
        default: result.unicodeScalars.append(scalar)
        }
    }
}
