// A fuzzer's input as a sequence of numbers, which decide what a guest does next.
//
// Read next: CallRun.swift, TrapRun.swift, UnikernelRun.swift.

/// The input, read from its start; zeros behind its end.
struct Steps {
    private let input: UnsafeBufferPointer<UInt8>
    private var next = 0

    init(_ input: UnsafeBufferPointer<UInt8>) { self.input = input }

    var isAtEnd: Bool { next >= input.count }

    mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T {
        var value: T = 0
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            if next < input.count { value |= T(truncatingIfNeeded: input[next]) << T(shift) }
            next += 1
        }
        return value
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in number() } }
}
