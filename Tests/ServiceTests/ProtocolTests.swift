// Requests and answers as bytes: whole, in pieces, too long, and of no sense at all.
//
// Read next: ServerTests.swift.

import Testing

@testable import Service

@Suite struct ProtocolTests {
    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func bytesAreAsDocumented() throws {
        #expect(CallRequest.bytes(text("ab")) == text("SLC1") + [2, 0, 0, 0] + text("ab"))
        let answer = CallAnswer(.exited(7), text("xyz"))
        #expect(answer.bytes == [7, 0, 0, 0, 3, 0, 0, 0] + text("xyz"))
        let header = try #require(CallAnswer.header([0x7c, 1, 0, 0, 0, 1, 0, 0]))
        #expect(header.end == .timedOut && header.count == 256)
    }

    @Test func everyEndHasItsWord() {
        let ends: [CallEnd] = [.exited(0), .exited(255), .timedOut, .crashed, .outputTooLong, .failed, .refused]
        for end in ends { #expect(CallEnd(word: end.word) == end) }
        #expect(ends.map(\.exitStatus) == [0, 255, 124, 126, 125, 125, 125])
        for word: UInt32 in [256, 0x600, 0x57e, 0xffff_ffff] { #expect(CallEnd(word: word) == nil) }
        #expect(CallAnswer.header([0, 1, 0, 0, 0, 0, 0, 0]) == nil)
        #expect(CallAnswer.header([0, 0, 0, 0]) == nil)
    }

    /// In pieces of any size, one behind the other.
    @Test(arguments: [1, 2, 3, 7, 8, 9, 100])
    func requestsComeInPieces(size: Int) throws {
        let inputs = [text("first"), [], text("the third"), Array(repeating: 0, count: 300)]
        var rest = inputs.flatMap(CallRequest.bytes)[...]
        var reader = RequestReader(limit: 300)
        var taken: [[UInt8]] = []
        while !rest.isEmpty {
            let piece = Array(rest.prefix(min(size, reader.wanted)))
            rest = rest.dropFirst(piece.count)
            if let input = try reader.take(piece) {
                taken.append(input)
                #expect(reader.isEmpty)
            }
        }
        #expect(taken == inputs)
    }

    @Test(arguments: ["GET / HTTP/1.1", "SLC2....", "\u{0}", "slc1", "SLD"])
    func garbageIsSeenAtOnce(start: String) {
        var reader = RequestReader(limit: 100)
        let piece = Array(text(start).prefix(8))
        #expect(throws: RequestReader.Refusal.garbage) { try reader.take(piece) }
    }

    @Test func tooLongIsSeenInTheHeader() throws {
        for size: UInt32 in [101, .max] {
            var reader = RequestReader(limit: 100)
            let bytes = CallRequest.magic + (0..<4).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) }
            #expect(throws: RequestReader.Refusal.tooLong(Int(size), limit: 100)) { try reader.take(bytes) }
        }
        var reader = RequestReader(limit: 100)
        #expect(try reader.take(CallRequest.magic + [100, 0, 0, 0]) == nil)
        #expect(reader.wanted == 100)
    }

    /// Whatever comes, it never wants nothing, never takes more than the limit, and never traps.
    @Test func anyBytesAreTaken() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var reader = RequestReader(limit: 64)
            for _ in 0..<20 {
                #expect((1...64).contains(reader.wanted))
                var piece = (0..<Int.random(in: 0...reader.wanted, using: &generator)).map { _ in
                    UInt8.random(in: 0...255)
                }
                if reader.isEmpty, Bool.random() {
                    piece = Array((CallRequest.magic + [40, 0, 0, 0]).prefix(reader.wanted))
                }
                do throws(RequestReader.Refusal) {
                    if let input = try reader.take(piece) { #expect(input.count <= 64) }
                } catch { break }
            }
        }
    }
}
