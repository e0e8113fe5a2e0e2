// `--json`: any Encodable value as text for scripts.
//
// FoundationEssentials' encoder: the argument parser links it anyway. Read next: Printable.swift.

import FoundationEssentials

public enum JSON {
    /// Names in snake_case, sorted, so that two runs differ only in what differs. Ends with a newline.
    public static func text(_ value: some Encodable) throws(SubcommandError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n" } catch {
            throw SubcommandError("cannot write JSON: \(error)")
        }
    }
}
