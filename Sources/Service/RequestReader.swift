// A request as its bytes come in, from whom one need not trust: garbage and too much are found in the first 8 bytes.
//
// It says how many bytes it can take, so that no byte of a later request is read before this one is answered, and memory
// grows as bytes come, not by what a header claims. Read next: Connection.swift.

public struct RequestReader: Sendable {
    /// Bytes of input that a request may have.
    private let limit: Int
    private var header: [UInt8] = []
    private var input: [UInt8] = []
    private var expected: Int?

    /// What stands in the way of a request.
    public enum Refusal: Error, Equatable, Sendable {
        case garbage
        case tooLong(Int, limit: Int)

        public var message: String {
            switch self {
            case .garbage: "not a request: it does not begin with SLC1"
            case .tooLong(let size, let limit): "a request of \(size) bytes, and the limit is \(limit)"
            }
        }
    }

    public init(limit: Int) { self.limit = limit }

    /// No byte of a request has come.
    public var isEmpty: Bool { header.isEmpty }

    /// How many bytes are still missing of what is known to come: never 0.
    public var wanted: Int { (expected ?? 0) + CallRequest.headerSize - header.count - input.count }

    /// Takes at most `wanted` bytes; the request's input when it is complete, after which the next one begins.
    public mutating func take(_ bytes: [UInt8]) throws(Refusal) -> [UInt8]? {
        precondition(bytes.count <= wanted)
        guard let expected else { return try takeHeader(bytes) }
        input += bytes
        return input.count == expected ? finish() : nil
    }

    private mutating func takeHeader(_ bytes: [UInt8]) throws(Refusal) -> [UInt8]? {
        header += bytes
        if !CallRequest.magic.starts(with: header.prefix(CallRequest.magic.count)) { throw .garbage }
        if header.count < CallRequest.headerSize { return nil }
        let size = Int(number(header.dropFirst(CallRequest.magic.count)))
        if size > limit { throw .tooLong(size, limit: limit) }
        expected = size
        return size == 0 ? finish() : nil
    }

    private mutating func finish() -> [UInt8] {
        defer { (header, input, expected) = ([], [], nil) }
        return input
    }
}
