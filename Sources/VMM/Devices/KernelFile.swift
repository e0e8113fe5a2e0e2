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

/// An image, opened as what it is.
enum OpenedImage: ~Copyable {
    case ringThree(ImageFile)
    case unikernel(ImageFile)
    case kernel(KernelFile)

    init(_ configuration: borrowing Configuration) throws(MachineError) {
        if configuration.kernel.method != nil {
            self = .kernel(try KernelFile(configuration.image))
            return
        }
        do throws(MachineError) {
            let file = try ImageFile(configuration.image)
            let isOurs = file.image.swiftletNote != nil
            let isUnikernel = !isOurs && file.image.hasSolo5Note
            if !isOurs, !isUnikernel, let kernel = Self.kernel(file.path) {
                self = .kernel(kernel)
                return
            }
            if let option = configuration.kernel.given { throw .image(file.path, .boot(.notAKernel(option))) }
            self = isUnikernel ? .unikernel(file) : .ringThree(file)
        } catch {
            // No image of ours: perhaps no ELF at all.
            guard case .image(let path, let reason) = error else { throw error }
            guard let kernel = Self.kernel(path) else { throw Self.truncation(path, reason) ?? error }
            self = .kernel(kernel)
        }
    }

    /// A 32-bit ELF that ends too early may be a kernel whose note or header is gone with its end.
    private static func truncation(_ path: String, _ reason: ImageError) -> MachineError? {
        guard reason == .not64Bit, let file = try? KernelFile(path) else { return nil }
        return file.image.truncation.map { .image(path, $0) }
    }

    /// Nil when it is none by its file.
    private static func kernel(_ path: String) -> KernelFile? {
        do throws(MachineError) {
            let file = try KernelFile(path)
            if BootMethod(file.image.kind) == nil { return nil }
            return file
        } catch { return nil }
    }
}

/// What is put into a kernel's memory beside its image.
struct KernelModules {
    let wishes: BootWishes

    init(_ configuration: borrowing Configuration, _ bus: VirtioBus) throws(MachineError) {
        let options = configuration.kernel
        var modules: [BootWishes.Module] = []
        if let path = options.initialDisk { modules.append(.init(path: path, size: try ModuleFile(path).size)) }
        for (path, arguments) in options.modules {
            modules.append(.init(path: path, arguments: arguments, size: try ModuleFile(path).size))
        }
        var words = [options.commandLine ?? "", configuration.commandLine].filter { !$0.isEmpty }
        // Linux's own word. A kernel that takes nothing from ACPI is told of its devices in the other way that it has.
        let hasACPI = !words.joined(separator: " ").split(separator: " ").contains("acpi=off")
        if !hasACPI { words.insert(bus.commandLine, at: 0) }
        wishes = BootWishes(
            image: configuration.image, commandLine: words.joined(separator: " "), modules: modules,
            hasInitialDisk: options.initialDisk != nil, machine: hasACPI ? bus.machine(cpus: configuration.cpus) : nil)
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
