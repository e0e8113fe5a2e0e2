// What we are, as the XML that gdb and lldb ask for: architecture, registers, their types.
//
// GDB manual, appendix G. Both refuse an i386.core of which a register is missing. Read next: RegisterFile.swift.

extension RegisterTable {
    var xml: String {
        var text = """
            <?xml version="1.0"?>
            <!DOCTYPE target SYSTEM "gdb-target.dtd">
            <target version="1.0">
            <architecture>\(is64Bit ? "i386:x86-64" : "i386")</architecture>

            """
        var feature = ""
        for (number, register) in registers.enumerated() {
            if register.feature != feature {
                text += (feature.isEmpty ? "" : "</feature>\n") + "<feature name=\"\(register.feature)\">\n"
                feature = register.feature
                if feature.hasSuffix("sse") { text += Self.vectorTypes }
            }
            text +=
                "<reg name=\"\(register.name)\" bitsize=\"\(register.bits)\" type=\"\(register.type)\" regnum=\"\(number)\"/>\n"
        }
        return text + "</feature>\n</target>\n"
    }

    private static let vectorTypes = """
        <vector id="v4f" type="ieee_single" count="4"/>
        <vector id="v2d" type="ieee_double" count="2"/>
        <vector id="v16i8" type="int8" count="16"/>
        <vector id="v8i16" type="int16" count="8"/>
        <vector id="v4i32" type="int32" count="4"/>
        <vector id="v2i64" type="int64" count="2"/>
        <union id="vec128">
        <field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/>
        <field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>
        <field name="uint128" type="uint128"/>
        </union>

        """
}
