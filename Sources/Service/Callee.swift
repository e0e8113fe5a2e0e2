// What the server knows of what it serves: something that takes input, and answers.
//
// A pool of guests in `swiftlet serve`, a function in tests. Read next: Connection.swift.

public protocol Callee: Sendable {
    /// What a call has used up, to be made good once its answer is on its way.
    associatedtype Used

    /// On any thread, several at once; must end.
    func call(_ input: [UInt8]) -> (CallAnswer, Used)

    /// On the same thread, when the answer was sent.
    func recover(_ used: Used)

    /// Told after each answer, on the same thread: what went in, what came out, nanoseconds of the call itself.
    func answered(_ answer: CallAnswer, inputSize: Int, nanoseconds: UInt64)

    /// Told of a request that was not taken.
    func refused(_ reason: String)
}

/// What one server allows.
public struct ServiceLimits: Sendable {
    /// Threads that run calls: as many calls at once.
    public var workers = 2
    /// Bytes of input of a request.
    public var request = 1 << 20
    /// Connections at once; the one whose other side has done nothing for longest gives way to a new one.
    public var connections = 256
    /// Nanoseconds that a request may take to come in, from its first byte, and an answer to be taken.
    public var patience: UInt64 = 10_000_000_000

    public init() {}
}
