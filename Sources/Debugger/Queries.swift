// A debugger's questions: what we can, what we are, which threads there are, and `monitor`.
//
// GDB manual, E.4; LLDB's are in its docs/resources/lldbgdbremote.md. Read next: RegisterTable.swift.

extension Session {
    /// Nil for what we do not know.
    func query(_ text: String) -> String? {
        let name = String(text.prefix { $0 != ":" && $0 != "," && $0 != ";" })
        switch name {
        case "qSupported":
            knowsBreakpoints = text.split { $0 == ":" || $0 == ";" }.contains { $0 == "swbreak+" }
            return
                "PacketSize=\(String(Self.packetSize, radix: 16));qXfer:features:read+;QStartNoAckMode+;swbreak+;hwbreak+"
                + ";vContSupported+"
        case "QStartNoAckMode":
            channel.acknowledges = false
            return "OK"
        case "qXfer": return features(text)
        case "qAttached": return "1"
        case "qC": return "QC" + Self.thread(target.selected)
        case "qfThreadInfo": return "m" + (0..<target.vcpuCount).map { Self.thread($0) }.joined(separator: ",")
        case "qsThreadInfo": return "l"
        case "qThreadExtraInfo":
            return vcpu(text.dropFirst(name.count + 1)).map { hexDigits("vCPU \($0)".utf8) } ?? "E01"
        case "qRcmd": return monitor(text)
        case "qHostInfo", "qProcessInfo":
            let triple = target.table.is64Bit ? "x86_64-unknown-none-elf" : "i386-unknown-none-elf"
            return "triple:\(hexDigits(triple.utf8));endian:little;ptrsize:\(target.table.is64Bit ? 8 : 4);"
                + (name == "qProcessInfo" ? "pid:1;" : "")
        default: return nil
        }
    }

    /// "qXfer:features:read:target.xml:OFFSET,LENGTH"
    private func features(_ text: String) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1] == "features", parts[2] == "read", parts[3] == "target.xml" else {
            return "E00"
        }
        let numbers = parts[4].split(separator: ",")
        guard numbers.count == 2, let offset = number(hex: numbers[0]), let length = number(hex: numbers[1]) else {
            return "E01"
        }
        let xml = Array(target.table.xml.utf8)
        let rest = xml.dropFirst(Int(min(offset, UInt64(xml.count))))
        let part = rest.prefix(Int(min(length, UInt64(Self.packetSize / 2))))
        return (part.count < rest.count ? "m" : "l") + String(decoding: part, as: UTF8.self)
    }

    /// "qRcmd,HEX"
    private func monitor(_ text: String) -> String {
        guard let command = bytes(hex: Array(text.dropFirst(6).utf8)) else { return "E01" }
        tell(target.monitor(String(decoding: command, as: UTF8.self)))
        return "OK"
    }
}
