// Where a Solo5 unikernel will lie: the plan of its own boot protocol, which knows nothing but image, stack and ring.
//
// Read next: NeededDevices.swift, Boot/HvtGuest.swift.

import Boot
import VMM

extension MemoryPlan {
    /// Plans and loads as `swiftlet run` does; throws what is wrong then.
    static func unikernel(
        _ image: borrowing ELFImage, _ path: String, _ wishes: MemoryWishes
    ) throws(MachineError) -> MemoryPlan {
        let guest = try fromImage(path, try HvtGuest(image, memorySize: wishes.size))
        let memory = try reserve(guest.layout)
        try fromImage(path, try image.load(into: memory, bias: 0))
        var host = try fromBacking(try SlotPlan(MemoryWishes(size: guest.memorySize, backing: wishes.backing)))
        let size = guest.memorySize
        host.slots = [
            SlotPlan.Slot(index: 0, start: 0, size: size, what: "memory", kernelBytes: SlotPlan.kernelBytes(size))
        ]
        return MemoryPlan(guest, host)
    }

    /// Its own page tables have no such right as "not executable"; that code and constants are not written to is the
    /// host's doing.
    private init(_ guest: HvtGuest, _ host: SlotPlan) {
        self.host = host
        (memorySize, entry, bias) = (guest.memorySize, guest.entry, 0)
        let place = HvtGuest.Place.self
        regions = [
            Self.region(0..<place.bootInfo, "GDT, page tables: null pointers fault", "---"),
            Self.region(place.bootInfo..<place.image, "boot info, manifest, command line", "r-x"),
        ]
        var next = place.image
        for segment in guest.segments where segment.fileSize > 0 {
            regions.append(Self.region(next..<segment.pages.lowerBound, "between segments", "rwx"))
            let isWritable = segment.flags.contains(.writable)
            let what = isWritable ? "image: data" : "image: code or constants"
            regions.append(Self.region(segment.pages, what, isWritable ? "rwx" : "r-x"))
            next = segment.pages.upperBound
        }
        regions.append(Self.region(next..<guest.layout.image.upperBound, "image: zeros", "rwx"))
        regions.append(
            Self.region(guest.layout.image.upperBound..<guest.ring.lowerBound, "heap, stack at its end", "rwx"))
        regions.append(Self.region(guest.ring, "network ring", "rwx"))
        regions = regions.filter { $0.size > 0 }
    }
}
