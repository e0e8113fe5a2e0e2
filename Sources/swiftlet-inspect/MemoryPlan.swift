// Where everything will lie in guest memory: the loader's own plan, told region by region.
//
// The image is also loaded, into memory that no machine ever sees, so that what the loader finds only then (a bad
// relocation, a file cut short) is found here too. Read next: InspectionText.swift.

import Backing
import Boot
import GuestMemory
import VMM
import X86

struct MemoryPlan: Encodable, Equatable, Sendable {
    struct Region: Encodable, Equatable, Sendable {
        /// Guest-physical, and virtual by the identity map that the guest starts with.
        var start: UInt64
        var size: UInt64
        var what: String
        /// "rwx" for the guest; "---" is not mapped, "sys" mapped for the CPU alone.
        var access: String
    }

    /// Bytes, as `--mem` gave them.
    var memorySize: UInt64
    var entry: UInt64
    /// What is added to the image's addresses.
    var bias: UInt64
    /// How a kernel for the bare CPU starts; nil for other guests.
    var start: String?
    /// Ascending, without overlaps.
    var regions: [Region]
    /// KVM's side of it.
    var host: SlotPlan

    /// Plans and loads as `swiftlet run` does; throws what is wrong then.
    init(
        _ file: borrowing InspectedFile, _ kind: ImageKind, _ method: BootMethod?, _ wishes: MemoryWishes,
        moduleSize: UInt64
    ) throws(MachineError) {
        let isOurs = method == nil && (kind == .swiftlet || kind == .solo5)
        if !isOurs, let kernel = try Self.kernel(file, method, wishes, moduleSize: moduleSize) {
            self = kernel
            return
        }
        let image = try Self.read(file)
        if image.swiftletNote == nil, image.hasSolo5Note {
            self = try Self.unikernel(image, file.path, wishes)
            return
        }
        let guest = try Self.plan(image, file.path, wishes.size, moduleSize)
        let host = try fromBacking(try SlotPlan(wishes))
        let memory = try Self.reserve(guest.layout)
        do throws(ImageError) { try image.load(into: memory, bias: guest.bias) } catch {
            throw .image(file.path, error)
        }
        self.init(guest, host)
    }

    static func read(_ file: borrowing InspectedFile) throws(MachineError) -> ELFImage {
        do throws(ImageError) { return try ELFImage(fd: file.file.fd, fileSize: file.size) } catch {
            throw .image(file.path, error)
        }
    }

    private static func plan(
        _ image: borrowing ELFImage, _ path: String, _ memorySize: UInt64, _ moduleSize: UInt64
    ) throws(MachineError) -> RingThree {
        do throws(ImageError) { return try RingThree(image, memorySize: memorySize, moduleSize: moduleSize) } catch {
            throw .image(path, error)
        }
    }

    static func reserve(_ layout: Layout) throws(MachineError) -> GuestMemory {
        do throws(GuestMemoryError) { return try GuestMemory(low: layout.low, high: layout.high) } catch {
            throw .memory(error)
        }
    }

    init(_ guest: RingThree, _ host: SlotPlan) {
        self.host = host
        memorySize = guest.layout.memorySize
        entry = guest.entry
        bias = guest.bias
        regions = Self.machine + Self.image(guest) + Self.behind(guest.layout)
        regions = regions.filter { $0.size > 0 }.sorted { $0.start < $1.start }
    }

    static func region(_ range: Range<UInt64>, _ what: String, _ access: String) -> Region {
        Region(start: range.lowerBound, size: range.upperBound - range.lowerBound, what: what, access: access)
    }

    /// What lies at the same place in every machine.
    private static var machine: [Region] {
        let page = AddressMap.pageSize
        let call = AddressMap.callPage(vcpu: 0)
        return [
            region(0..<page, "page 0: null pointers fault", "---"),
            region(AddressMap.gdt..<AddressMap.idt, "GDT", "sys"),
            region(AddressMap.idt..<AddressMap.tss, "IDT", "sys"),
            region(AddressMap.tss..<AddressMap.stubs, "TSS with I/O bitmap", "sys"),
            region(AddressMap.stubs..<AddressMap.machine.upperBound, "stubs for unhandled vectors", "r-x"),
            region(AddressMap.machine.upperBound..<AddressMap.memoryStart, "no memory", "---"),
            region(AddressMap.bootInfo..<AddressMap.commandLine, "boot info, memory map", "rw-"),
            region(AddressMap.commandLine..<AddressMap.vcpuArea.lowerBound, "command line", "rw-"),
            region(call..<call + page, "call page", "rw-"),
            region(call + page..<call + 2 * page, "report stack", "rw-"),
            region(call + 2 * page..<AddressMap.vcpuArea.upperBound, "for more vCPUs", "rw-"),
        ]
    }

    /// The image's segments, and the memory between them.
    private static func image(_ guest: RingThree) -> [Region] {
        var list: [Region] = []
        var next = guest.layout.image.lowerBound
        for segment in guest.segments {
            list.append(region(next..<segment.pages.lowerBound, "between segments", "rw-"))
            let code = !segment.flags.contains(.noExecute)
            let writable = segment.flags.contains(.writable)
            let what = code ? "image: code" : writable ? "image: data" : "image: read-only data"
            list.append(region(segment.pages, what, code ? "r-x" : writable ? "rw-" : "r--"))
            next = segment.pages.upperBound
        }
        return list
    }

    /// What the loader puts behind the image, and what is left.
    private static func behind(_ layout: Layout) -> [Region] {
        [
            region(layout.image.upperBound..<layout.stack.lowerBound, "guard page under the stack", "---"),
            region(layout.stack, "stack", "rw-"),
            region(layout.tables, "page tables", "rw-"),
            region(layout.module, "module", "rw-"),
            region(layout.high.isEmpty ? 0..<0 : AddressMap.hole, "no memory", "---"),
        ] + layout.free.map { region($0, "free", "rw-") }
    }
}
