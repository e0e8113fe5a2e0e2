// From a file's keys to a machine: the schema of docs/host.md, key by key.
//
// What `swiftlet run` takes as an option is checked by the code that reads that option, and handed to it in its words: a new
// option needs a line here. Read next: ../Hosting/MachineState.swift.

import Boot
import Deprivileged
import Devices
import Host
import Hosting
import VMM

struct DefinitionReader {
    let id: String
    let folder: String
    /// The help of the `swiftlet run` that will be started.
    let runOptions: String

    private static let keys = [
        "name", "vendor", "description", "image", "arguments", "memory", "memory_max", "cpus", "identity", "ring",
        "boot", "append", "initrd", "modules", "irqchip", "disks", "networks", "console", "timeout", "statistics",
        "restart", "restart_limit", "restart_delay", "autostart",
    ]

    func read(_ text: String) throws(TOMLError) -> MachineDefinition {
        let fields = Fields(try TOMLReader.read(text))
        try fields.check(Self.keys)
        let size = try memory(fields, "memory") ?? ("64M", 64 << 20)
        var machine = MachineDefinition(id: id, image: try file(fields, "image"), memory: size.bytes)
        machine.options = ["--mem", size.text]
        machine.name = try fields.string("name") ?? id
        machine.vendor = try fields.string("vendor") ?? ""
        machine.description = try fields.string("description") ?? ""
        machine.arguments = try fields.strings("arguments")
        machine.isCounted = try fields.flag("statistics") ?? false
        machine.hasRawConsole = try fields.word("console", ["line", "raw"]) == "raw"
        try readProcessor(fields, &machine)
        try readKernel(fields, &machine)
        try readDevices(fields, &machine)
        try readLife(fields, &machine)
        return machine
    }

    private func readProcessor(_ fields: Fields, _ machine: inout MachineDefinition) throws(TOMLError) {
        if let most = try memory(fields, "memory_max") {
            if most.bytes < machine.memory { throw fields.error("memory_max", "at least 'memory' is expected") }
            machine.options += ["--mem-max", most.text]
        }
        if let cpus = try fields.integer("cpus", 1...64), cpus > 1 {
            machine.cpus = cpus
            try need("--cpus", fields, "cpus")
            machine.options += ["--cpus", "\(cpus)"]
        }
        if let identity = try fields.word("identity", Identity.allCases.map(\.rawValue)) {
            machine.identity = identity
            try need("--identity", fields, "identity")
            machine.options += ["--identity", identity]
        }
        if let ring = try fields.string("ring") {
            if Ring(rawValue: ring) == nil { throw fields.error("ring", "\(Ring.usage) is expected") }
            machine.options += ["--ring", ring]
        }
    }

    private func readKernel(_ fields: Fields, _ machine: inout MachineDefinition) throws(TOMLError) {
        if let boot = try fields.string("boot") {
            if BootMethod(boot) == nil { throw fields.error("boot", "\(BootMethod.usage) is expected") }
            machine.options += ["--boot", boot]
        }
        if let text = try fields.string("append"), !text.isEmpty { machine.options += ["--append", text] }
        if try fields.string("initrd") != nil { machine.options += ["--initrd", try file(fields, "initrd")] }
        for module in try fields.tables("modules") {
            try module.check(["path", "text"])
            let path = try file(module, "path")
            // `--module` splits at the first comma.
            if let text = try module.string("text") {
                if path.contains(",") { throw module.error("path", "no comma is expected where 'text' is") }
                machine.options += ["--module", "\(path),\(text)"]
            } else {
                machine.options += ["--module", path]
            }
        }
        if try fields.flag("irqchip") == true { machine.options.append("--irqchip") }
    }

    private func readDevices(_ fields: Fields, _ machine: inout MachineDefinition) throws(TOMLError) {
        for disk in try fields.tables("disks") {
            try disk.check(["name", "path", "read_only", "sector"])
            let path = try file(disk, "path", isRegular: false)
            var text = "\(try disk.required("name"))=\(path.replacing(",", with: ",,"))"
            if try disk.flag("read_only") == true { text += ",ro" }
            if let sector = try disk.integer("sector", 512...32768) { text += ",sector=\(sector)" }
            do throws(DeviceError) { _ = try BlockOption(text) } catch {
                throw disk.error("name", error.message)
            }
            machine.options += ["--block", text]
        }
        for network in try fields.tables("networks") {
            try network.check(["name", "tap", "bridge", "mac"])
            let (tap, bridge) = (try interface(network, "tap"), try interface(network, "bridge"))
            if tap != nil, bridge != nil { throw network.error("bridge", "no 'tap' is expected beside it") }
            var text = "\(try network.required("name"))=\(bridge.map { "bridge:\($0)" } ?? "tap")"
            if let tap { text += ":\(tap)" }
            if let address = try network.string("mac") { text += ",mac=\(address)" }
            do throws(DeviceError) { _ = try NetOption(text) } catch {
                throw network.error("name", error.message)
            }
            machine.options += ["--net", text]
        }
    }

    private func readLife(_ fields: Fields, _ machine: inout MachineDefinition) throws(TOMLError) {
        if let limit = try fields.seconds("timeout") {
            if limit == 0 { throw fields.error("timeout", "more than 0 seconds are expected") }
            machine.options += ["--timeout", "\(Double(limit) / 1e9)"]
        }
        if let when = try fields.word("restart", RestartPolicy.When.allCases.map(\.rawValue)) {
            machine.restart.when = RestartPolicy.When(rawValue: when) ?? .never
        }
        if let limit = try fields.integer("restart_limit", 0...1000) { machine.restart.limit = limit }
        if let delay = try fields.seconds("restart_delay") { machine.restart.delay = delay }
        machine.autostart = try fields.seconds("autostart")
    }

    // Values that several keys have.

    private func memory(_ fields: Fields, _ key: String) throws(TOMLError) -> (text: String, bytes: UInt64)? {
        guard let text = try fields.string(key) else { return nil }
        do throws(MemorySizeError) { return (text, try MemorySize.parse(text)) } catch {
            throw fields.error(key, error.message)
        }
    }

    /// A path from the catalogue's folder, or an absolute one; what lies there must be readable.
    private func file(_ fields: Fields, _ key: String, isRegular: Bool = true) throws(TOMLError) -> String {
        let path = try fields.required(key)
        let full = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        do throws(HostError) { _ = isRegular ? try File.regular(full) : try File(full, .read) } catch {
            throw fields.error(key, "\(full): \(errnoText(error.errno)): a readable file is expected")
        }
        return full
    }

    /// As an option has it: a comma is written twice there.
    private func interface(_ fields: Fields, _ key: String) throws(TOMLError) -> String? {
        guard let name = try fields.string(key) else { return nil }
        if !NetOption.isInterfaceName(name) { throw fields.error(key, "'\(name)': an interface's name is expected") }
        return name.replacing(",", with: ",,")
    }

    private func need(_ option: String, _ fields: Fields, _ key: String) throws(TOMLError) {
        if !runOptions.contains("\n  \(option) ") {
            throw fields.error(key, "the 'swiftlet run' beside this program has no option \(option)")
        }
    }
}
