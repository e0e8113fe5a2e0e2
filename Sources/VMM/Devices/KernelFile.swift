// The files of a kernel: is the image one, by which protocol does it start, and what else goes into its memory?
//
// Read next: KernelMachine.swift.

import Boot
import GuestMemory
import Host

/// A kernel's image and the descriptor it is read through.
struct KernelFile: ~Copyable {
    let path: String
    let file: File
    let stamp: FileStamp
    let image: KernelImage

    init(_ path: String) throws(MachineError) {
        let file = try fromHost(try File.regular(path))
        let stamp = try fromHost(try file.stamp())
        image = try fromImage(path, try KernelImage(fd: file.fd, fileSize: stamp.size))
        (self.path, self.stamp) = (path, stamp)
        self.file = file
    }

    /// How the image starts.
    func method(_ options: KernelOptions) throws(MachineError) -> BootMethod {
        if let method = options.method ?? BootMethod(image.kind) { return method }
        throw .image(path, .noNote(image.kind))
    }
}

extension ImageFile {
    /// The image of a Swiftlet guest or a unikernel; nil when it is a kernel that starts in another way.
    static func unlessKernel(_ configuration: borrowing Configuration) throws(MachineError) -> ImageFile? {
        if configuration.kernel.method != nil { return nil }
        do throws(MachineError) {
            let file = try ImageFile(configuration.image)
            if file.image.swiftletNote == nil, !file.image.hasSolo5Note, isKernel(file.path) { return nil }
            if let option = configuration.kernel.given { throw .image(file.path, .boot(.notAKernel(option))) }
            return file
        } catch {
            if case .image(let path, _) = error, isKernel(path) { return nil }
            throw error
        }
    }

    private static func isKernel(_ path: String) -> Bool {
        do throws(MachineError) { return BootMethod(try KernelFile(path).image.kind) != nil } catch { return false }
    }
}

/// What is put into a kernel's memory beside its image.
struct KernelModules {
    let wishes: BootWishes

    init(_ configuration: borrowing Configuration) throws(MachineError) {
        let options = configuration.kernel
        var modules: [BootWishes.Module] = []
        if let path = options.initialDisk { modules.append(.init(path: path, size: try ModuleFile(path).size)) }
        for text in options.modules {
            let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let arguments = parts.count == 2 ? parts[1] : ""
            modules.append(.init(path: parts[0], arguments: arguments, size: try ModuleFile(parts[0]).size))
        }
        wishes = BootWishes(
            image: configuration.image,
            commandLine: [options.commandLine ?? "", configuration.commandLine].filter { !$0.isEmpty }
                .joined(separator: " "), modules: modules,
            hasInitialDisk: options.initialDisk != nil)
    }

    /// Reads them to where the plan has room.
    func load(_ plan: KernelPlan, into memory: borrowing GuestMemory) throws(MachineError) {
        for (index, module) in wishes.modules.enumerated() {
            let file = try ModuleFile(module.path)
            if file.size != module.size {
                throw .host(HostError("read", "\(module.path): the file changed meanwhile", errno: 5))
            }
            try file.load(into: memory, at: plan.module(index).lowerBound)
        }
    }
}
