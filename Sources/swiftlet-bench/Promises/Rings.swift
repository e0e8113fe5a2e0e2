// Rings against a Linux process that makes the same system calls: 4 KiB reads from the page cache, frames to a tap.
//
// A sample is the fastest of 50 batches of 2,000 operations: a ring keeps two CPUs busy, and a batch that had to share one
// tells of the host. Read next: DeviceCalls.swift.

import Devices
import Host
import Subcommand

private let batches = 50
private let operations = 2000
/// Under way at once.
private let depth = 32
private let limit = 1.5

extension Promises {
    func blockRing(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let disk = try BenchDisk(workshop)
        let run = ["run", "--block", "disk=\(disk.device.path),ro", workshop.image("blockbench")]
        let arguments = run + ["ring", "\(operations)", "\(depth)"]
        return [try ring("block-ring", "a read of 4 KiB", workshop, arguments, repeats, disk.read)]
    }

    func netRing(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        guard let net = benchTap("net-ring") else { return [] }
        let run = ["run", "--net", "net=tap", workshop.image("netbench")]
        let arguments = run + ["send", "ring", "\(operations)", "\(depth)", "1024"]
        return [try ring("net-ring", "a frame of 1 KiB sent to a tap", workshop, arguments, repeats, net.sendKibibyte)]
    }

    private func ring(
        _ name: String, _ what: String, _ workshop: Workshop, _ arguments: [String], _ repeats: Int?,
        _ operation: DeviceOperation
    ) throws(SubcommandError) -> Finding {
        let contest = try Contest(
            pairs: repeats ?? 20, limit: limit,
            subject: { () throws(SubcommandError) in try workshop.fastestPrinted(arguments) },
            reference: { () throws(SubcommandError) in try fastestBatch(batches, operations, operation) })
        return Finding(
            name, "\(what), \(depth) at once", unit: "ns", contest, sides: ("ring", "process"), limit: limit)
    }
}

/// One operation of this process: its number, and 4 KiB to move. Whether it succeeded.
typealias DeviceOperation = (Int, inout MutableRawSpan) -> Bool

/// A file in the page cache, as a guest reads it.
struct BenchDisk {
    let device: BlockDevice

    init(_ workshop: Workshop) throws(SubcommandError) {
        let path: String
        do throws(ExperimentError) { path = try workshop.disk(mebibytes: 4) } catch {
            throw SubcommandError("bench: \(error.reason)")
        }
        var option = BlockOption(name: "disk", path: path)
        option.isReadOnly = true
        do throws(DeviceError) { device = try BlockDevice(option) } catch {
            throw SubcommandError("bench: \(error.message)")
        }
    }

    func read(_ index: Int, into buffer: inout MutableRawSpan) -> Bool {
        device.read(into: &buffer, at: UInt64(index) * 4096 % device.capacity) == .done
    }
}

/// A tap of our own; nil, and a line that says why, where none can be made.
func benchTap(_ benchmark: String) -> NetDevice? {
    do throws(DeviceError) { return try NetDevice(NetOption(name: "net", interface: nil)) } catch {
        writeText("swiftlet: bench: \(benchmark) is left out: \(error.message)\n")
        return nil
    }
}

extension NetDevice {
    func sendKibibyte(_ index: Int, of buffer: inout MutableRawSpan) -> Bool {
        send(buffer.bytes.extracting(first: 1024)) == .done(1024)
    }
}

extension Workshop {
    /// The least of the nanoseconds that a guest prints.
    func fastestPrinted(_ arguments: [String]) throws(SubcommandError) -> Double {
        guard let fastest = PrintedNumbers(try output(swiftlet, arguments), "nanoseconds")?.values.min() else {
            throw SubcommandError("bench: \(arguments) printed no nanoseconds")
        }
        return fastest
    }
}

/// Nanoseconds of an operation, in this process.
func fastestBatch(_ batches: Int, _ operations: Int, _ operation: DeviceOperation) throws(SubcommandError) -> Double {
    var page = [UInt8](repeating: 0xff, count: 4096)
    // No address of somebody's, and IEEE 802's type for local experiments.
    page[12] = 0x88
    page[13] = 0xb5
    var fastest = UInt64.max
    for _ in 0..<batches {
        let start = Clock.monotonic()
        var failures = 0
        for index in 0..<operations {
            var span = page.mutableSpan
            var bytes = unsafe span.mutableBytes  // sound: bytes of integers
            if !operation(index, &bytes) { failures += 1 }
        }
        fastest = min(fastest, Clock.monotonic() - start)
        if failures > 0 { throw SubcommandError("bench: \(failures) of \(operations) operations failed") }
    }
    return Double(fastest) / Double(operations)
}
