// gdb's remote protocol on the wire: $content#checksum, acknowledgements, escapes, and one byte that is Ctrl-C.
//
// Pure, and fed by tests with whatever a stranger may send. GDB manual, appendix E.1. Read next: Session.swift.

enum Packet {
    /// As it is sent: `$`, escaped content, `#`, two digits.
    static func framed(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "$")]
        for byte in content {
            if [0x23, 0x24, 0x2a, 0x7d].contains(byte) {  // # $ * }
                bytes += [0x7d, byte ^ 0x20]
            } else {
                bytes.append(byte)
            }
        }
        let sum = bytes.dropFirst().reduce(0) { $0 &+ $1 }
        return bytes + [UInt8(ascii: "#")] + Array(hexDigits(sum).utf8)
    }

    /// Of binary data in a packet.
    static func unescaped(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var (result, isEscaped): ([UInt8], Bool) = ([], false)
        for byte in bytes {
            if byte == 0x7d, !isEscaped {
                isEscaped = true
            } else {
                result.append(isEscaped ? byte ^ 0x20 : byte)
                isEscaped = false
            }
        }
        return result
    }
}

/// Takes a stream apart.
struct PacketReader {
    enum Item: Equatable {
        case packet([UInt8])
        case interrupt
        /// The checksum is wrong.
        case damaged
        /// What we sent last was damaged.
        case repeatLast
    }

    /// What PacketSize promises, and as much again for escapes.
    static let largest = 0x8000
    private var bytes: [UInt8] = []
    private var start = 0

    /// False when that is more than any packet can be.
    mutating func feed(_ more: [UInt8]) -> Bool {
        bytes.removeFirst(start)
        start = 0
        bytes += more
        return bytes.count <= 2 * Self.largest
    }

    /// Nil until more has come.
    mutating func next() -> Item? {
        while start < bytes.count {
            switch bytes[start] {
            case UInt8(ascii: "$"): return packet()
            case 3:
                start += 1
                return .interrupt
            case UInt8(ascii: "-"):
                start += 1
                return .repeatLast
            default: start += 1  // an acknowledgement, or noise between packets
            }
        }
        return nil
    }

    private mutating func packet() -> Item? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "#")), end + 2 < bytes.count else { return nil }
        let content = Array(bytes[start + 1..<end])
        let sum = number(hex: bytes[end + 1...end + 2])
        start = end + 3
        return sum == UInt64(content.reduce(0) { $0 &+ $1 }) ? .packet(content) : .damaged
    }
}

/// Two digits.
func hexDigits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

func hexDigits(_ bytes: some Sequence<UInt8>) -> String { bytes.map { hexDigits($0) }.joined() }

/// Nil when it is no number of 64 bits.
func number(hex: some Collection<UInt8>) -> UInt64? {
    hex.first.flatMap { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") ? nil : $0 }
        .flatMap { _ in UInt64(String(decoding: hex, as: UTF8.self), radix: 16) }
}

func number(hex: some StringProtocol) -> UInt64? { number(hex: Array(hex.utf8)) }

/// Nil when they are no pairs of digits.
func bytes(hex: some Collection<UInt8>) -> [UInt8]? {
    let digits = Array(hex)
    if digits.count % 2 != 0 { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = number(hex: digits[index...index + 1]) else { return nil }
        bytes.append(UInt8(truncatingIfNeeded: byte))
    }
    return bytes
}
