// Boot info, memory map and command line, written where the guest finds them.
//
// Read next: CShims/CABI/include/swiftlet_boot_info.h, the contract.

import CABI
import GuestMemory
import X86

extension RingThree {
    func writeBootInfo(
        _ parameters: BootParameters, root: UInt64, _ memory: borrowing GuestMemory
    ) throws(ImageError) {
        let map = memoryMap
        for (index, entry) in map.enumerated() {
            memory.write(
                entry,
                at: GuestAddress(AddressMap.memoryMap + UInt64(index * MemoryLayout<swiftlet_memory_range>.stride)))
        }
        let line = try writeCommandLine(parameters.commandLine, memory)
        var info = swiftlet_boot_info()
        info.magic = UInt64(SWIFTLET_BOOT_MAGIC)
        info.size = UInt32(MemoryLayout<swiftlet_boot_info>.size)
        info.version = UInt32(SWIFTLET_ABI_VERSION)
        info.memory_size = layout.memorySize
        info.memory_map = AddressMap.memoryMap
        info.memory_map_count = UInt32(map.count)
        info.vcpu_count = UInt32(parameters.vcpus)
        info.page_table_root = root
        info.call_page = AddressMap.callPage(vcpu: 0)
        info.command_line = AddressMap.commandLine
        info.command_line_size = line
        info.module = parameters.moduleSize == 0 ? 0 : layout.module.lowerBound
        info.module_size = parameters.moduleSize
        info.free_start = layout.largestFree.lowerBound
        info.free_end = layout.largestFree.upperBound
        info.stack_bottom = layout.stack.lowerBound
        info.stack_top = layout.stack.upperBound
        info.image_start = layout.image.lowerBound
        info.image_end = layout.image.upperBound
        info.tsc_frequency = parameters.tscFrequency
        info.features = parameters.features
        info.memory_max = max(parameters.growth.maximum, layout.memorySize)
        info.memory_step = parameters.growth.step
        memory.write(info, at: GuestAddress(AddressMap.bootInfo))
        let seed = UInt64(MemoryLayout<swiftlet_boot_info>.offset(of: \.entropy_seed) ?? 0)
        memory.write(parameters.seed, at: GuestAddress(AddressMap.bootInfo + seed))
    }

    /// NUL-terminated, as memory is zero. Returns the bytes without the NUL.
    private func writeCommandLine(_ line: String, _ memory: borrowing GuestMemory) throws(ImageError) -> UInt64 {
        let limit = Int(AddressMap.commandLineCapacity) - 1
        if line.utf8.count > limit { throw .commandLineTooLong(size: line.utf8.count, limit: limit) }
        memory.write(text: line, at: GuestAddress(AddressMap.commandLine))
        return UInt64(line.utf8.count)
    }

    /// What lies where, ascending, without gaps between the entries but for guard pages and holes.
    public var memoryMap: ShortList<swiftlet_memory_range, 10> {
        var map = ShortList<swiftlet_memory_range, 10>()
        func add(_ range: Range<UInt64>, _ type: Int32) {
            if range.isEmpty { return }
            let size = range.upperBound - range.lowerBound
            map.append(swiftlet_memory_range(start: range.lowerBound, size: size, type: UInt32(type), reserved: 0))
        }
        add(AddressMap.machine, SWIFTLET_MEMORY_MACHINE)
        add(AddressMap.memoryStart..<AddressMap.vcpuArea.lowerBound, SWIFTLET_MEMORY_BOOT_INFO)
        add(AddressMap.vcpuArea, SWIFTLET_MEMORY_VCPU)
        add(layout.freeBelow, SWIFTLET_MEMORY_FREE)
        add(layout.image, SWIFTLET_MEMORY_IMAGE)
        add(layout.stack, SWIFTLET_MEMORY_STACK)
        add(layout.tables, SWIFTLET_MEMORY_PAGE_TABLES)
        add(layout.module, SWIFTLET_MEMORY_MODULE)
        add(layout.freeBehind, SWIFTLET_MEMORY_FREE)
        add(layout.high, SWIFTLET_MEMORY_FREE)
        return map
    }
}

extension GuestMemory: PageTableMemory {
    @inlinable
    public func loadEntry(_ address: UInt64) -> UInt64? { read(GuestAddress(address)) }

    @inlinable
    public func storeEntry(_ value: UInt64, _ address: UInt64) { write(value, at: GuestAddress(address)) }
}
