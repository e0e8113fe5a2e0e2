// virtio-net: a frame behind a header of 12 bytes, in which without offloads nothing stands. Virtio 1.2, section 5.1.
//
// Read next: ConsoleBytes.swift.

import Devices
import GuestMemory
import Host

enum NetFeature {
    /// VIRTIO_NET_F_MTU, _MAC, _STATUS
    static let all: UInt64 = 1 << 3 | 1 << 5 | 1 << 16
}

extension NetDevice {
    /// struct virtio_net_hdr. Of a received frame its last two bytes count the chains, and that is one.
    private static let headerSize: UInt64 = 12

    /// struct virtio_net_config
    var virtioConfig: [UInt8] {
        var config = ConfigBytes(size: 12)
        for index in 0..<6 { config.put(address[index], at: index) }
        config.put(1 as UInt16, at: 6)  // VIRTIO_NET_S_LINK_UP
        config.put(UInt16(clamping: mtu), at: 10)
        return config.bytes
    }

    func send(_ given: Chain, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
        var chain = given
        guard chain.take(Self.headerSize, memory) != nil else { return .broken }
        let frame: FrameResult?
        if chain.readable.count == 1 {
            frame = memory.withSpan(chain.readable[0].address, chain.readable[0].count) { send($0) }
        } else {
            guard chain.readableCount <= largestFrame, let bytes = gather(chain.readable, memory) else {
                return .done(written: 0)
            }
            frame = send(bytes)
        }
        switch frame {
        case .notReady?: return .waits(WaitFor(fd, write: true))
        case .interrupted?: return .interrupted
        // A frame that is none, or for which there is no wire, is lost: virtio-net has no word for it.
        default: return .done(written: 0)
        }
    }

    func receive(_ given: Chain, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
        var chain = given
        guard let header = chain.takeWritable(Self.headerSize), chain.writableCount >= largestFrame - 4 else {
            return .broken
        }
        let result: FrameResult?
        if chain.writable.count == 1 {
            result = memory.withMutableSpan(chain.writable[0].address, chain.writable[0].count) { receive(into: &$0) }
        } else {
            result = receiveScattered(chain.writable, memory)
        }
        switch result {
        case .done(let bytes)?:
            scatter([UInt8](repeating: 0, count: 10) + [1, 0], into: header, memory)
            return .done(written: UInt32(Self.headerSize) + UInt32(bytes))
        case .interrupted?: return .interrupted
        // The interface is gone: nothing comes any more.
        case .gone?, .failed?: return .waits(WaitFor(-1))
        default: return .waits(WaitFor(fd))
        }
    }

    private func receiveScattered(_ pieces: [Buffer], _ memory: borrowing GuestMemory) -> FrameResult {
        let (result, frame) = receive()
        if case .done = result { scatter(frame, into: pieces, memory) }
        return result
    }
}
