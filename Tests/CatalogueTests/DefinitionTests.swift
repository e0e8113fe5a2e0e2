// From a folder of files to machines: each key's meaning, and each mistake's words.
//
// Read next: ../../Sources/Catalogue/DefinitionReader.swift.

import Devices
import Foundation
import Hosting
import Testing

@testable import Catalogue

private let runOptions = "Options:\n  --mem SIZE  memory\n  --identity NAME  whose\n"

/// A folder with these files, and an image in it.
private final class Folder {
    let path = NSTemporaryDirectory() + "swiftlet-catalogue-\(UUID().uuidString)"

    init(_ files: [String: String]) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files.merging(["image": "", "disk.img": ""], uniquingKeysWith: { first, _ in first }) {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func entries() throws -> [CatalogueEntry] { try Catalogue(folders: [path], runOptions: runOptions).entries }
}

private func machine(_ text: String) throws -> (MachineDefinition, Folder) {
    let folder = try Folder(["it.toml": text])
    return (try #require(try folder.entries().first).content.get(), folder)
}

@Suite struct DefinitionTests {
    @Test func aMachineNeedsNoMoreThanAnImage() throws {
        let (machine, folder) = try machine("image = 'image'")
        #expect(machine.id == "it" && machine.name == "it" && machine.cpus == 1 && machine.memory == 64 << 20)
        #expect(machine.image == "\(folder.path)/image" && machine.options == ["--mem", "64M"])
        #expect(machine.restart == RestartPolicy() && machine.autostart == nil && !machine.isCounted)
    }

    @Test func everyKeyHasItsMeaning() throws {
        let (machine, folder) = try machine(
            """
            name = "Name"
            vendor = "Vendor"
            description = "Words"
            image = "image"
            arguments = ["a", "b c"]
            memory = "128M"
            memory_max = "1G"
            identity = "vmware"
            ring = "0"
            boot = "linux"
            append = "quiet"
            initrd = "disk.img"
            irqchip = true
            console = "raw"
            timeout = 1.5
            statistics = true
            restart = "always"
            restart_limit = 7
            restart_delay = 2
            autostart = 0.5
            [[modules]]
            path = "image"
            text = "words"
            [[disks]]
            name = "data"
            path = "disk.img"
            read_only = true
            sector = 4096
            [[networks]]
            name = "net"
            tap = "tap0"
            mac = "02:00:00:00:00:01"
            [[networks]]
            name = "other"
            bridge = "in,side"
            """)
        let path = folder.path
        #expect(
            machine.options == [
                "--mem", "128M", "--mem-max", "1G", "--identity", "vmware", "--ring", "0", "--boot", "linux",
                "--append",
                "quiet", "--initrd", "\(path)/disk.img", "--module", "\(path)/image,words", "--irqchip", "--block",
                "data=\(path)/disk.img,ro,sector=4096", "--net", "net=tap:tap0,mac=02:00:00:00:00:01", "--net",
                "other=bridge:in,,side", "--timeout", "1.5",
            ])
        #expect(machine.arguments == ["a", "b c"] && machine.hasRawConsole && machine.isCounted)
        #expect(machine.restart.when == .always && machine.restart.limit == 7)
        #expect(machine.restart.delay == 2_000_000_000 && machine.autostart == 500_000_000)
        #expect(machine.vendor == "Vendor" && machine.description == "Words" && machine.name == "Name")
    }

    @Test(arguments: [
        ("", ":1:1: image: a string is expected"), ("image = 'none'", "none: No such file or directory"),
        ("image = 'image'\nmemory = 64", ":2:10: memory: a string is expected, not an integer"),
        ("image = 'image'\nmemory = '7X'", "memory: '7X': a size such as 64M"),
        ("image = 'image'\nmemory_max = '1M'", "memory_max: at least 'memory'"),
        ("image = 'image'\ncpus = 0", "cpus: 1 to 64 is expected"),
        ("image = 'image'\ncpus = 2", "cpus: the 'swiftlet run' beside this program has no option --cpus"),
        ("image = 'image'\nidentity = 'bsd'", "identity: 'bsd': one of none, kvm, vmware"),
        ("image = 'image'\nring = '1'", "ring: 0, 3 or auto"), ("image = 'image'\nboot = 'dos'", "boot: multiboot"),
        ("image = 'image'\narguments = ['a', 7]", ":2:19: arguments[1]: a string is expected, not an integer"),
        ("image = 'image'\narguments = [\"\\u0000\"]", "a string without NUL"),
        ("image = 'image'\n[[disks]]\npath = 'disk.img'", ":2:1: disks[0].name: a string is expected"),
        ("image = 'image'\n[[disks]]\nname = 'a b'\npath = 'disk.img'", "1 to 67 letters"),
        ("image = 'image'\n[[disks]]\nname = 'a'\npath = 'disk.img'\nsize = 1", ":5:1: disks[0].size: no such key"),
        ("image = 'image'\n[[networks]]\nname = 'a'\nmac = '1'", "station's address"),
        ("image = 'image'\n[[networks]]\nname = 'a'\ntap = 'b:c'", ":4:7: networks[0].tap: 'b:c': an interface's name"),
        (
            "image = 'image'\n[[networks]]\nname = 'a'\nbridge = ''",
            ":4:10: networks[0].bridge: '': an interface's name"
        ),
        ("image = 'image'\n[[networks]]\nname = 'a'\ntap = 'b'\nbridge = 'c'", ":5:10: networks[0].bridge: no 'tap'"),
        ("image = 'image'\nrestart = 'often'", "restart: 'often': one of never, always, on-failure"),
        ("image = 'image'\nautostart = -1", "autostart: seconds from 0 to 86400"),
        ("image = 'image'\nstatistics = 1", "statistics: true or false is expected, not an integer"),
    ])
    func mistakesAreExplained(text: String, expected: String) throws {
        let folder = try Folder(["it.toml": text])
        guard case .failure(let problem) = try #require(try folder.entries().first).content else {
            Issue.record("taken: \(text)")
            return
        }
        #expect(problem.words.hasPrefix(folder.path + "/it.toml"))
        #expect(problem.words.contains(expected), "\(problem.words)")
    }

    @Test func aBadFileHurtsNoOther() throws {
        let folder = try Folder([
            "b.toml": "image = 'image'", "a.toml": "nonsense", "-.txt": "", ".hidden.toml": "", "a b.toml": "",
            "large.toml": String(repeating: "#", count: 70_000),
        ])
        let entries = try folder.entries()
        #expect(entries.map(\.id) == ["a b", "a", "b", "large"])
        let isGood = entries.map { if case .success = $0.content { true } else { false } }
        #expect(isGood == [false, false, true, false])
    }

    @Test func bridgesHaveMembers() throws {
        let folder = try Folder([
            "inside.bridge": "", "outside.bridge": "interfaces = ['eth0', '52:54:00:12:34:56']", ".x.bridge": "",
        ])
        let catalogue = try Catalogue(folders: [folder.path], runOptions: "")
        #expect(catalogue.entries.isEmpty && catalogue.bridges.map(\.name) == ["inside", "outside"])
        let address = try #require(MACAddress("52:54:00:12:34:56"))
        #expect(catalogue.bridges.map(\.members) == [[], [.name("eth0"), .address(address)]])
    }

    @Test(arguments: [
        ("br.bridge", "interfaces = 'eth0'", "br.bridge:1:14: interfaces: an array of strings is expected"),
        ("br.bridge", "\ninterfaces = ['a/b']", "br.bridge:2:14: interfaces: 'a/b': an interface such as eth0"),
        ("br.bridge", "interfaces = ['01:00:00:00:00:01']", "br.bridge:1:14: interfaces: '01:00:00:00:00:01': an"),
        ("br.bridge", "members = []", "br.bridge:1:1: members: no such key; there are interfaces"),
        ("longer-than-it-may.bridge", "", "longer-than-it-may.bridge: a bridge is called by 1 to 15"),
        (".bridge", "", nil),
    ])
    func aBridgesMistakesAreExplained(file: String, text: String, expected: String?) throws {
        let folder = try Folder([file: text])
        let entries = try folder.entries()
        #expect(entries.map(\.id) == (expected == nil ? [] : [file]))
        for case .failure(let problem) in entries.map(\.content) {
            #expect(problem.words.hasPrefix("\(folder.path)/\(expected ?? "")"), "\(problem.words)")
        }
    }

    @Test func aNameIsThereOnce() throws {
        let (one, two) = (try Folder(["it.toml": "image = 'image'"]), try Folder(["it.toml": "image = 'image'"]))
        let entries = try Catalogue(folders: [one.path, two.path], runOptions: "").entries
        guard case .failure(let problem) = entries[1].content else { throw CatalogueError("taken twice") }
        #expect(problem.words.contains("another folder has a machine of this name"))
    }

    @Test func aMissingFolderIsAnError() throws {
        let error = try #require(throws: CatalogueError.self) { try Catalogue(folders: ["/none"], runOptions: "") }
        #expect(error.message.contains("/none: No such file or directory"))
    }
}
