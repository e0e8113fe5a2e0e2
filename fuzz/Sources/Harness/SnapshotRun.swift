// A snapshot's file, opened and verified: what is taken is a machine's state that makes sense; what is refused has a line.
//
// The first byte is what the file is of; 0xff: what follows is the file, as it is. Each edit is then a part, an offset, how
// wide, and a value. Read next: SnapshotFile.swift, ../../../Sources/Snapshot/Snapshot.swift.

import CFuzz
import Glibc
import ImageBuilder
import Snapshot

/// Descriptors by fixed numbers, so that the child knows its parent's name: /proc/self/fd/NUMBER.
private let (childNumber, parentNumber): (Int32, Int32) = (200, 201)
private let parent = SnapshotFile(cpus: 1, grows: false, parent: nil, parentName: "")
private let child: Int32 = {
    for number in [childNumber, parentNumber] { dup2(cfuzz_memory_file(), number) }
    pwrite(parentNumber, parent.bytes, parent.bytes.count, 0)
    return childNumber
}()

public func openSnapshot(_ input: UnsafeBufferPointer<UInt8>) {
    let content = input.first == 0xff ? Array(input.dropFirst()) : edited(input)
    ftruncate(child, 0)
    pwrite(child, content, content.count, 0)
    do throws(SnapshotError) {
        let snapshot = try Snapshot("/proc/self/fd/\(child)")
        require(snapshot.fileSize == UInt64(content.count), "as long as it is")
        require(snapshot.memorySize % 4096 == 0 && !snapshot.image.contains("\0"), "what a machine can be made of")
        _ = snapshot.savedBytes
        try snapshot.verify()
    } catch {
        require(!error.message.isEmpty && !error.message.contains("\n"), "a message of one line: \(error.message)")
    }
}

/// World: 1 checksums stay what they were, 2 a parent, 4 two CPUs, 8 growing memory, 16 the file's end is cut off.
private func edited(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var steps = Steps(input)
    let world = steps.number(UInt8.self)
    let cut = world & 16 != 0 ? Int(steps.number(UInt16.self)) : 0
    var file = SnapshotFile(
        cpus: world & 4 != 0 ? 2 : 1, grows: world & 8 != 0, parent: world & 2 != 0 ? parent : nil,
        parentName: "\(parentNumber)")
    while !steps.isAtEnd {
        let (part, offset, width) = (steps.number(UInt8.self), steps.number(UInt16.self), steps.number(UInt8.self))
        file.edit(part: Int(part), offset: Int(offset), width: Int(width % 9), steps.number())
    }
    if world & 1 == 0 { file.renewChecksums() }
    return file.bytes.dropLast(cut)
}

private func edit(_ part: UInt8, _ offset: UInt16, _ width: UInt8, _ value: UInt64) -> [UInt8] {
    var bytes = [part]
    bytes.append16(offset)
    bytes.append(width)
    bytes.append64(value)
    return bytes
}

/// Each kind of file whole, cut and with an edit of every part.
public func snapshotSeeds() -> [Seed] {
    let whole: [Seed] = [0, 2, 4, 8, 14].map { ("world-\($0)", [$0]) }
    let cut: [Seed] = [1, 8192, 50_000].map { ("cut-\($0)", [16, UInt8($0 & 255), UInt8($0 >> 8)]) }
    let edits: [Seed] = [
        ("magic", edit(0, 0, 1, 1)), ("format", edit(0, 8, 4, 9)), ("count", edit(0, 64, 4, 17)),
        ("offset", edit(0, 80, 8, 1 << 62)), ("kind", edit(0, 72, 4, 99)), ("twice", edit(0, 96, 4, 1)),
        ("cpus", edit(1, 4, 4, 17)), ("memory", edit(1, 8, 8, 4095)), ("timer", edit(1, 112, 8, 0)),
        ("cpuid", edit(2, 4904, 4, 101)), ("path", edit(3, 3, 1, 0)), ("extent", edit(4, 24, 8, 0x4_0000)),
        ("extent-offset", edit(4, 8, 8, 1 << 62)), ("growth", edit(5, 8, 8, 3)), ("parent", edit(5, 16, 8, 7)),
        ("parent-name", edit(5, 32, 1, 0x2f)), ("itself", edit(5, 34, 1, 0x30)), ("other", edit(6, 8, 4, 256)),
    ]
    return whole + cut
        + edits.flatMap { seed in
            [0, 1, 2, 14].map { ("\(seed.name)-\($0)", [UInt8($0)] + seed.input) }
        } + [("raw", [0xff] + Array("SLFTSNAP".utf8))]
}
