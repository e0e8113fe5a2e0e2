// How `run` and `restore` use the sandbox: which descriptors and files their options need, when the guest runs already, and
// whether those files can be written.
//
// A program with machines of its own decides for itself: it calls Sandbox.enter, or does not. Read next:
// Sandbox/Sandbox.swift.

import Host
import Sandbox
import VMM

extension Configuration {
    /// Closes what our caller left open, but for where statistics go, what is asked for by the environment, and descriptors
    /// that an option names as a path (`--trace >(gzip >trace.gz)`). Before anything is opened.
    package func closeInherited(_ statistics: StatisticsTarget?, file: String? = nil) {
        let asked: [2 of UInt32] = [
            UInt32(clamping: statistics?.fd ?? 0),
            UInt32(clamping: descriptorFromEnvironment("SWIFTLET_PHASES") ?? 0),
        ]
        // Empty as a rule, and then never made: an array would be a start's first.
        var named: [UInt32] = []
        func keep(_ path: String?) { if let fd = descriptor(path) { named.append(fd) } }
        keep(image)
        keep(file)
        keep(module)
        keep(core)
        keep(snapshot)
        keep(backing.path)
        keep(observation.trace)
        keep(observation.profile)
        keep(statistics?.path)
        for disk in devices.blocks { keep(disk.path) }
        for module in kernel.modules { keep(module.path) }
        keep(kernel.initialDisk)
        if case .file(let path)? = kernel.cpu { keep(path) }
        if named.isEmpty { return Sandbox.closeInherited(keeping: asked.span) }
        named += [asked[0], asked[1]]
        Sandbox.closeInherited(keeping: named.span)
    }

    /// Of ours, named by a path as /dev/fd/N, /proc/self/fd/N or /proc/PID/fd/N.
    private func descriptor(_ path: String?) -> UInt32? {
        guard let path, path.hasPrefix("/dev/") || path.hasPrefix("/proc/") else { return nil }
        let names = path.split(separator: "/")
        guard let folder = names.firstIndex(of: "fd"), folder + 1 < names.count else { return nil }
        return UInt32(names[folder + 1])
    }

    /// Refuses, before anything runs, a file that is written only when the run is over, or at a wish, and could not be.
    package func checkLaterFiles(_ statistics: StatisticsTarget?) throws(MachineError) {
        if core == nil, snapshot == nil, statistics?.path == nil { return }
        do throws(HostError) {
            if let core { try checkWritable(core, for: "--core \(core)") }
            if let path = statistics?.path { try checkWritable(path, for: "--stats=json:\(path)") }
            if let snapshot { try checkReplaceable(snapshot, for: "--snapshot \(snapshot)") }
        } catch { throw .host(error) }
    }

    /// Just before the guest's first instruction. `statistics`: a file to write later; `reading`: one to read;
    /// `hasDevices`: disks, networks or rings, or a CPU that needs more of KVM.
    package func enterSandbox(
        statistics: String? = nil, reading: String? = nil, hasDevices: Bool = false
    ) throws(MachineError) {
        let files = givenFiles(statistics, reading)
        do throws(HostError) { try Sandbox.enter(files, hasDevices: hasDevices) } catch { throw .host(error) }
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
