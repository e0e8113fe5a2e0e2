// Values of options that have a unit: bytes and seconds, as people write them.
//
// Read next: Printable.swift.

public import ArgumentParser

/// "512", "64K", "1M", "2G": a bare number is bytes.
public struct ByteCount: ExpressibleByArgument, Equatable, Sendable {
    public let count: Int

    public init(_ count: Int) { self.count = count }

    public init?(argument: String) {
        let units: [Character: Int] = ["K": 10, "M": 20, "G": 30]
        let unit = argument.last.flatMap { units[Character($0.uppercased())] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number < 1 << 32 else {
            return nil
        }
        count = number << (unit ?? 0)
    }

    public var defaultValueDescription: String { bytes(UInt64(count)) }
}

/// Above 0 and up to a year, with a fraction if need be.
public struct Seconds: ExpressibleByArgument, Equatable, Sendable {
    public let nanoseconds: UInt64

    public init(_ seconds: Double) { nanoseconds = UInt64(seconds * 1e9) }

    public init?(argument: String) {
        let isDecimal = argument.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
        guard isDecimal, let seconds = Double(argument), seconds > 0, seconds <= 31_536_000 else { return nil }
        self.init(seconds)
    }

    public var defaultValueDescription: String {
        nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000) s" : "\(Double(nanoseconds) / 1e9) s"
    }
}

/// Nanoseconds in a unit that suits them: "97.3 us", "12.5 ms", "3.21 s".
public func duration(_ nanoseconds: UInt64) -> String {
    func tenths(_ divisor: UInt64, _ unit: String) -> String {
        let tenths = (nanoseconds + divisor / 20) / (divisor / 10)
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    return switch nanoseconds {
    case ..<1_000_000: tenths(1000, "us")
    case ..<10_000_000_000: tenths(1_000_000, "ms")
    default: tenths(1_000_000_000, "s")
    }
}
