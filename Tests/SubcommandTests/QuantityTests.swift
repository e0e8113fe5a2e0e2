// Bytes and seconds as people write them, and what is none.
//
// Read next: Sources/Subcommand/Quantities.swift.

import Subcommand
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [("0", 0), ("512", 512), ("64K", 65536), ("64k", 65536), ("1M", 1 << 20), ("2G", 2 << 30)])
    func bytesHaveUnits(text: String, bytes: Int) {
        #expect(ByteCount(argument: text)?.count == bytes)
    }

    @Test(arguments: ["", "K", "-1", "1.5M", "1T", "1 M", "99999999999", "1KK", "0x10"])
    func otherTextIsNoNumberOfBytes(text: String) {
        #expect(ByteCount(argument: text) == nil)
    }

    @Test func secondsHaveFractions() {
        #expect(Seconds(argument: "1.5")?.nanoseconds == 1_500_000_000)
        for text in ["0", "-1", "x", "1e3", "31536001", ""] { #expect(Seconds(argument: text) == nil) }
    }

    @Test(
        arguments: [
            (0, "0.0 us"), (97_300, "97.3 us"), (999_900, "999.9 us"), (1_000_000, "1.0 ms"), (12_340_000, "12.3 ms"),
            (10_000_000_000, "10.0 s"),
        ] as [(UInt64, String)])
    func durationsSuitTheirSize(nanoseconds: UInt64, text: String) {
        #expect(duration(nanoseconds) == text)
    }
}
