// How `run` and `restore` use the sandbox: which descriptors and files their options need, when the guest runs already.
//
// A program with machines of its own decides for itself: it calls Sandbox.enter, or does not. Read next:
// Sandbox/Sandbox.swift.

import Host
import Sandbox
import VMM

extension Configuration {
    /// Closes what our caller left open, but for where statistics go and what is asked for by the environment. Before
    /// anything is opened. Where an option names a descriptor as a path (`--trace >(gzip >trace.gz)`) nothing is closed.
    package func closeInherited(_ statistics: StatisticsTarget?, file: String? = nil) {
        // One by one: an array would be a start's first.
        if namesDescriptor(image) || namesDescriptor(file) || namesDescriptor(module) { return }
        if namesDescriptor(core) || namesDescriptor(snapshot) || namesDescriptor(backing.path) { return }
        if namesDescriptor(observation.trace) || namesDescriptor(observation.profile) { return }
        if namesDescriptor(statistics?.path) { return }
        for disk in devices.blocks where namesDescriptor(disk.path) { return }
        for path in kernel.modules where namesDescriptor(path) { return }
        if namesDescriptor(kernel.initialDisk) { return }
        Sandbox.closeInherited(keeping: statistics?.fd, descriptorFromEnvironment("SWIFTLET_PHASES"))
    }

    private func namesDescriptor(_ path: String?) -> Bool {
        guard let path else { return false }
        return path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/")
    }

    /// Just before the guest's first instruction. `statistics`: a file to write later; `reading`: one to read;
    /// `hasDevices`: disks, networks or rings.
    package func enterSandbox(
        statistics: String? = nil, reading: String? = nil, hasDevices: Bool = false
    ) throws(MachineError) {
        let files = givenFiles(statistics, reading) ?? (hasDevices ? GivenFiles() : nil)
        do throws(HostError) { try Sandbox.enter(files) } catch { throw .host(error) }
    }

    /// Nil for a run that opens nothing more.
    private func givenFiles(_ statistics: String?, _ reading: String?) -> GivenFiles? {
        let isOrdinary = observation.isNothing && core == nil && snapshot == nil && reading == nil
        if isOrdinary, memoryMaximum == nil, backing == .anonymous { return nil }
        var files = GivenFiles()
        if !observation.isNothing { files.read("/proc/self") }  // smaps, pagemap, schedstat
        if let reading { files.read(reading) }
        if let core { files.write(core) }
        if let statistics { files.write(statistics) }
        if let snapshot {
            files.replace(snapshot)
            files.device("/dev/kvm")
            files.read("/proc/self/pagemap")
        }
        return files
    }
}
