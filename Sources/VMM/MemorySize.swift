// Sizes of guest memory as people write them: 64M, 2G; a bare number is MiB.
//
// One parser for every subcommand's `--mem`. Read next: Configuration.swift.

/// Why a text is no size of memory.
public struct MemorySizeError: Error {
    /// To be put behind the option's name: "'7X': a size such as 64M ...".
    public let message: String
}

public enum MemorySize {
    /// Bytes: at least 1 MiB, whole pages.
    public static func parse(_ text: String) throws(MemorySizeError) -> UInt64 {
        let wrong = MemorySizeError(message: "'\(text)': a size such as 64M or 2G; a bare number is MiB")
        var digits = Substring(text)
        var shift: UInt64 = 20
        if let unit = digits.last, !unit.isNumber {
            switch unit {
            case "k", "K": shift = 10
            case "m", "M": shift = 20
            case "g", "G": shift = 30
            case "t", "T": shift = 40
            default: throw wrong
            }
            digits = digits.dropLast()
        }
        guard let number = UInt64(digits), number <= UInt64.max >> (shift + 1) else { throw wrong }
        let size = number << shift
        if size < Configuration.smallestMemory { throw MemorySizeError(message: "'\(text)': at least 1M") }
        if size % 4096 != 0 { throw MemorySizeError(message: "'\(text)': not a multiple of 4K") }
        return size
    }
}
