// Files that are no guest image, and wrong options: each is refused with one line that names what is wrong.
//
// Read next: Sources/Boot/ELFImage.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

/// A folder for files of a test, gone when it goes out of scope.
struct ScratchFolder: ~Copyable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "swiftlet-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ content: Data) throws -> String {
        try content.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

/// A way to spoil hello's image. Offsets: ELF-64 object file format, "File Header" and "Program Header".
struct Spoiling: CustomTestStringConvertible {
    let testDescription: String
    let spoil: @Sendable (inout Data) -> Void

    init(_ what: String, _ spoil: @escaping @Sendable (inout Data) -> Void) {
        testDescription = what
        self.spoil = spoil
    }

    static let all: [Spoiling] =
        [0, 1, 4, 15, 16, 63, 64, 65, 119, 120, 200].map { size in
            Spoiling("cut to \(size) bytes") { $0 = $0.prefix(size) }
        } + [
            Spoiling("cut in its last segment") { $0 = $0.prefix($0.endOfSegments - 1) },
            Spoiling("wrong magic") { $0[0] = 0 },
            Spoiling("32-bit") { $0[4] = 1 },
            Spoiling("big-endian") { $0[5] = 2 },
            Spoiling("an object file") { $0[16] = 1 },
            Spoiling("a core") { $0[16] = 4 },
            Spoiling("for another machine") { $0[18] = 183 },
            Spoiling("entry outside") { $0.put(0x7f00_0000, at: 24) },
            Spoiling("entry at the end of addresses") { $0.put(.max, at: 24) },
            Spoiling("program headers outside the file") { $0.put(.max - 8, at: 32) },
            Spoiling("no program headers") { $0[56] = 0 },
            Spoiling("program headers of a wrong size") { $0[54] = 55 },
            Spoiling("a segment's offset overflows") { $0.put(.max - 0xfff, at: $0.firstLoad + 8) },
            Spoiling("a segment's address overflows") { $0.put(.max - 0xfff, at: $0.firstLoad + 16) },
            Spoiling("a segment's file size overflows") { $0.put(.max, at: $0.firstLoad + 32) },
            Spoiling("a segment's memory size overflows") { $0.put(.max, at: $0.firstLoad + 40) },
            Spoiling("more in the file than in memory") { $0.put(1, at: $0.firstLoad + 40) },
            Spoiling("writable and executable") { $0[$0.firstLoad + 4] = 7 },
            Spoiling("two segments in one place") {
                let second = $0.firstLoad + 56
                $0.replaceSubrange(second..<(second + 56), with: $0[$0.firstLoad..<second])
            },
        ]
}

extension Data {
    fileprivate func word(_ offset: Int) -> Int { (0..<8).reduce(0) { $0 | Int(self[offset + $1]) << ($1 * 8) } }

    fileprivate mutating func put(_ value: UInt64, at offset: Int) {
        for index in 0..<8 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8)) }
    }

    private var loads: [Int] {
        (0..<Int(self[56])).map { word(32) + $0 * 56 }.filter { self[$0] == 1 }
    }

    /// Where the first PT_LOAD header lies.
    fileprivate var firstLoad: Int { loads[0] }

    /// Where the last PT_LOAD header lies: nothing comes after its segment.
    fileprivate var lastLoad: Int { loads[loads.count - 1] }

    fileprivate var endOfSegments: Int { loads.map { word($0 + 8) + word($0 + 32) }.max() ?? 0 }
}

private func kvmIsPrivate() -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "/dev/kvm")
    return (attributes?[.posixPermissions] as? Int).map { $0 & 0o006 == 0 } ?? false
}

extension GuestTests {
    @Suite(.requiresKVM) struct BadImages {
        @Test(arguments: Spoiling.all)
        func aSpoiltImageIsRefused(spoiling: Spoiling) throws {
            let folder = try ScratchFolder()
            var image = try Data(contentsOf: URL(fileURLWithPath: House.image("hello")))
            spoiling.spoil(&image)
            try expectRefusal([folder.file("spoilt.elf", image)], mentioning: "spoilt.elf")
        }

        @Test(arguments: ["/nowhere/guest.elf", "/", "/dev/null", "/dev/zero", "/proc/self/mem", "/etc/passwd", ""])
        func anUnusualFileIsNoImage(path: String) throws {
            try expectRefusal([path], mentioning: path)
        }

        @Test(arguments: ["/nowhere/module", "/", "/dev/null", "/dev/zero", "/etc/passwd/module", ""])
        func anUnusualFileIsNoModule(path: String) throws {
            try expectRefusal(["--module", path, House.image("hello")], mentioning: path)
        }

        @Test func aFIFOIsRefusedWithoutWaiting() throws {
            let folder = try ScratchFolder()
            let made = unsafe mkfifo(folder.path + "/fifo", 0o600)
            #expect(made == 0)
            try expectRefusal([folder.path + "/fifo"], mentioning: "fifo")
        }

        /// Its note, or header, may lie behind the cut: then it looks like somebody's 32-bit program.
        @Test(
            arguments: ["multiboot-hello", "pvh-hello"],
            [(51, "the ELF header ends"), (52, "program headers"), (2000, "segment 0 ends"), (5000, "segment 0 ends")])
        func aKernelThatIsCutShortIsSaidToBe(kernel: String, cut: (size: Int, words: String)) throws {
            let folder = try ScratchFolder()
            let image = try Data(contentsOf: URL(fileURLWithPath: House.image(kernel))).prefix(cut.size)
            try expectRefusal([folder.file("cut.elf", image)], mentioning: cut.words)
        }

        @Test func aTemplateOfMoreLeavesThanFitIsRefused() throws {
            let folder = try ScratchFolder()
            let lines = (0..<200).map { "\(0x4000_1000 + $0) eax = 0/1\n" }.joined()
            let path = try folder.file("many.cpu", Data(lines.utf8))
            try expectRefusal(["--cpu", path, House.image("cpuid-hello")], mentioning: "many.cpu: makes 2")
        }

        @Test func aLinkInACircleIsRefused() throws {
            let folder = try ScratchFolder()
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/circle", withDestinationPath: "circle")
            try expectRefusal([folder.path + "/circle"], mentioning: "circle")
        }

        @Test func anUnreadableFileIsRefused() throws {
            let folder = try ScratchFolder()
            let path = try folder.file("secret.elf", Data(contentsOf: URL(fileURLWithPath: House.image("hello"))))
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
            let ending = try runAsNobody(path, in: folder)
            let refused = ending.isRefusal(mentioning: "secret.elf: Permission denied")
            #expect(refused, "\(ending.errorText)")
        }

        @Test(.enabled("everybody may use /dev/kvm here, or this is not root") { geteuid() == 0 && kvmIsPrivate() })
        func aForbiddenKVMIsSaid() throws {
            let folder = try ScratchFolder()
            let path = try folder.file("hello.elf", Data(contentsOf: URL(fileURLWithPath: House.image("hello"))))
            let ending = try runAsNobody(path, in: folder)
            let refused = ending.isRefusal(mentioning: "/dev/kvm")
            #expect(refused, "\(ending.errorText)")
        }

        @Test(arguments: [
            [], ["--mem"], ["--mem", "0"], ["--mem", "x"], ["--mem", "-1"], ["--mem", "99999999999G"],
            ["--mem", "18446744073709551616"], ["--timeout", "x"], ["--timeout", "-1"], ["--timeout", "nan"],
            ["--no-such-option"], ["-z"],
        ])
        func wrongOptionsAreRefused(options: [String]) throws {
            try expectRefusal(options.isEmpty ? [] : options + [House.image("hello")])
        }

        @Test func memoryTooSmallForTheImageIsRefused() throws {
            let folder = try ScratchFolder()
            var image = try Data(contentsOf: URL(fileURLWithPath: House.image("hello")))
            image.put(64 << 20, at: image.lastLoad + 40)
            try expectRefusal(["--mem", "1", folder.file("large.elf", image)])
        }

        /// As a user who is not root; the program is copied to where anybody can reach it.
        private func runAsNobody(_ image: String, in folder: borrowing ScratchFolder) throws -> Ending {
            if geteuid() != 0 {
                var child = try House.run([image])
                return child.finish()
            }
            let program = folder.path + "/swiftlet"
            // By a program of its own: a test beside this one could fork while the copy is open here to be written, and
            // execve(2) would say ETXTBSY.
            var copy = try Child("/bin/cp", [House.bench.swiftlet, program])
            #expect(copy.finish().how == .exited(0))
            let identity = ["--reuid=65534", "--regid=65534", "--clear-groups"]
            var child = try Child("/usr/bin/setpriv", identity + [program, "run", image])
            return child.finish()
        }

        private func expectRefusal(_ arguments: [String], mentioning text: String = "") throws {
            var child = try House.run(arguments)
            let ending = child.finish()
            let refused = ending.isRefusal(mentioning: text)
            #expect(refused, "\(arguments): \(ending.how): \(ending.outputText)\(ending.errorText)")
            #expect(ending.seconds < 5)
        }
    }
}
