// virtio-blk: a header says what and where, buffers hold the data, the last byte takes the status. Virtio 1.2, section 5.2.
//
// Read next: NetFrames.swift.

import Devices
import GuestMemory
import Host

private enum BlockFeature {
    static let (size, segments): (UInt64, UInt64) = (1 << 1, 1 << 2)
    static let (readOnly, blockSize, flush, discard): (UInt64, UInt64, UInt64, UInt64) =
        (1 << 5, 1 << 6, 1 << 9, 1 << 13)
}

private enum BlockOperation {
    static let (read, write, flush, getID, discard): (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 1, 4, 8, 11)
}

private enum BlockStatus {
    static let (ok, failed, unsupported): (UInt8, UInt8, UInt8) = (0, 1, 2)
}

extension BlockDevice {
    /// Bytes of a sector of the protocol, whatever the disk's are.
    private static let sector: UInt64 = 512
    /// How many ranges a discard may have.
    private static let ranges: UInt32 = 16
    /// What a request may have: pieces, but for header and status, and bytes in each. More would keep whoever stops the
    /// machine waiting.
    private static let (segments, segmentSize): (UInt32, UInt32) = (SplitQueue.largest - 2, 1 << 18)

    var virtioFeatures: UInt64 {
        BlockFeature.size | BlockFeature.segments | BlockFeature.blockSize | BlockFeature.flush
            | (isReadOnly ? BlockFeature.readOnly : BlockFeature.discard)
    }

    /// struct virtio_blk_config
    var virtioConfig: [UInt8] {
        var config = ConfigBytes(size: 60)
        config.put(capacity / Self.sector, at: 0)
        config.put(Self.segmentSize, at: 8)
        config.put(Self.segments, at: 12)
        config.put(UInt32(sectorSize), at: 20)
        config.put(UInt32.max, at: 36)
        config.put(Self.ranges, at: 40)
        config.put(UInt32(sectorSize / Self.sector), at: 44)
        return config.bytes
    }

    func writesThrough(_ features: UInt64) -> Bool { features & BlockFeature.flush == 0 }

    func perform(_ given: Chain, writesThrough: Bool, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
        var chain = given
        // struct virtio_blk_req's head: operation, a reserved word, sector.
        guard let header = chain.take(16, memory), let status = chain.takeLastWritable() else { return .broken }
        var written: UInt64 = 0
        guard var result = perform(header, &chain, &written, memory) else { return .interrupted }
        if writesThrough, result == BlockStatus.ok, header.word(0) == BlockOperation.write {
            switch flush() {
            case .done: break
            case .interrupted: return .interrupted
            default: result = BlockStatus.failed
            }
        }
        memory.write(result, at: status)
        return .done(written: UInt32(clamping: written + 1))
    }

    /// The status; nil when a signal came first: then all of it is done again.
    private func perform(
        _ header: HeaderBytes, _ chain: inout Chain, _ written: inout UInt64, _ memory: borrowing GuestMemory
    ) -> UInt8? {
        let (start, overflow) = header.long(8).multipliedReportingOverflow(by: Self.sector)
        let most = UInt64(Self.segments) * UInt64(Self.segmentSize)
        if overflow || chain.readableCount > most || chain.writableCount > most { return BlockStatus.failed }
        var results: [BlockResult] = []
        switch header.word(0) {
        case BlockOperation.read:
            var place = start
            for buffer in chain.writable {
                results.append(
                    memory.withMutableSpan(buffer.address, buffer.count) { read(into: &$0, at: place) } ?? .outOfRange)
                place &+= buffer.count
            }
            written = chain.writableCount
        case BlockOperation.write:
            var place = start
            for buffer in chain.readable {
                results.append(memory.withSpan(buffer.address, buffer.count) { write($0, at: place) } ?? .outOfRange)
                place &+= buffer.count
            }
        case BlockOperation.flush: results = [flush()]
        case BlockOperation.getID:
            guard let place = chain.takeWritable(min(20, chain.writableCount)) else { return BlockStatus.failed }
            scatter(Array("swiftlet".utf8) + [UInt8](repeating: 0, count: 12), into: place, memory)
            written = place.reduce(0) { $0 + $1.count }
        case BlockOperation.discard:
            guard chain.readableCount <= 16 * UInt64(Self.ranges) else { return BlockStatus.failed }
            // struct virtio_blk_discard_write_zeroes: sector, sectors, flags.
            while let range = chain.take(16, memory) {
                guard range.long(0) < UInt64.max / Self.sector else { return BlockStatus.failed }
                results.append(discard(at: range.long(0) * Self.sector, UInt64(range.word(8)) * Self.sector))
            }
        default: return BlockStatus.unsupported
        }
        if results.contains(.interrupted) { return nil }
        return results.allSatisfy { $0 == .done } ? BlockStatus.ok : BlockStatus.failed
    }
}
