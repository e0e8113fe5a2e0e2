// Requests as they come from a socket, in pieces whose sizes are the input's too: what `swiftlet serve` reads.
//
// The first byte of each piece is its size. Whatever comes, the reader wants something, takes no more than that, and gives
// no input beyond the limit. Read next: ../../../Sources/Service/RequestReader.swift.

import Service

private let limit = 200

/// Feeds a reader until it refuses or the bytes end.
public func readRequests(_ bytes: UnsafeBufferPointer<UInt8>) {
    var rest = Array(bytes)[...]
    var reader = RequestReader(limit: limit)
    while let size = rest.popFirst() {
        require((1...limit).contains(reader.wanted), "a reader wants something, and no more than the limit")
        let piece = Array(rest.prefix(min(Int(size), reader.wanted)))
        rest = rest.dropFirst(piece.count)
        do throws(RequestReader.Refusal) {
            guard let input = try reader.take(piece) else { continue }
            require(input.count <= limit && reader.isEmpty, "an input is complete, and no longer than the limit")
            answer(input)
        } catch { return require(!error.message.isEmpty, "a refusal has words") }
    }
}

/// And the other direction: what is sent can be read, whatever is in it.
private func answer(_ input: [UInt8]) {
    _ = CallAnswer.header(input.prefix(8))
    let word = input.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    guard let end = CallEnd(word: word) else { return }
    let header = CallAnswer.header(CallAnswer(end, input).bytes.prefix(8))
    require(header?.end == end && header?.count == input.count, "an answer is read as it was sent")
}

/// Whole, in pieces, none, too long, of no sense.
public func requestSeeds() -> [Seed] {
    func pieces(_ bytes: [UInt8], of size: UInt8) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: Int(size)).flatMap {
            [size] + bytes[$0..<min($0 + Int(size), bytes.count)]
        }
    }
    let whole = CallRequest.bytes(Array("request".utf8))
    return [
        ("whole", [8] + whole.prefix(8) + [7] + whole.dropFirst(8)),
        ("pieces", pieces(whole, of: 1)),
        ("two", [8] + CallRequest.bytes([]) + [8] + whole.prefix(8) + [200] + whole.dropFirst(8)),
        ("status", [8] + CallRequest.bytes([0, 0, 1, 0x7c]).prefix(8) + [4, 0, 0, 1, 0x7c]),
        ("long", [8] + CallRequest.magic + [0xff, 0xff, 0xff, 0xff]),
        ("garbage", [4] + Array("GET ".utf8)),
    ]
}
