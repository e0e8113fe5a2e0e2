// solo5-hvt's command line, option by option.
//
// Read next: Sources/swiftlet/HvtOptions.swift.

import Devices
import Testing

@testable import swiftlet

@Suite struct HvtOptionsTests {
    private func refusal(_ arguments: String...) -> HvtUsageError? {
        do throws(HvtUsageError) {
            _ = try HvtOptions(arguments)
            return nil
        } catch { return error }
    }

    @Test func kernelAndItsArguments() throws {
        let plain = try HvtOptions(["kernel.hvt", "--mem=2", "--", "x"])
        #expect(plain.configuration.image == "kernel.hvt")
        #expect(plain.configuration.commandLine == "--mem=2 -- x")
        #expect(plain.configuration.memorySize == 512 << 20)
        let marked = try HvtOptions(["--mem=64", "--", "kernel.hvt", "--solo5:quiet"])
        #expect(marked.configuration.image == "kernel.hvt")
        #expect(marked.configuration.commandLine == "--solo5:quiet")
        #expect(marked.configuration.memorySize == 64 << 20)
        #expect(try HvtOptions(["--", "--odd"]).configuration.image == "--odd")
    }

    @Test func memory() throws {
        #expect(try HvtOptions(["--mem=4096", "k"]).configuration.memorySize == 4 << 30)
        let odd = try HvtOptions(["--mem=5", "k"])
        #expect(odd.configuration.memorySize == 4 << 20 && odd.warnings == ["adjusting memory to 4194304 bytes"])
        #expect(try HvtOptions(["--mem=1", "k"]).configuration.memorySize == 2 << 20)
        for text in ["64M", " 64", "+64", "\t 64.5", "65 x"] {
            #expect(try HvtOptions(["--mem=\(text)", "k"]).configuration.memorySize == 64 << 20, "as sscanf reads it")
        }
        for text in ["-1", "-4", "99999999999999999999"] {
            guard case .wrong(let words, isFatal: true)? = refusal("--mem=\(text)", "k") else {
                Issue.record("--mem=\(text)")
                continue
            }
            #expect(words.hasSuffix(" bytes exceeds the max size 4294967296 bytes"))
        }
        for text in ["0", "x", "", "-", "M64"] {
            #expect(refusal("--mem=\(text)", "k") == .wrong("Malformed argument to --mem", isFatal: true))
        }
        guard case .wrong(_, isFatal: true)? = refusal("--mem=4098", "k") else {
            Issue.record("more than 4 GiB")
            return
        }
    }

    @Test func devices() throws {
        let options = try HvtOptions([
            "--net-mac:service=02:00:00:00:00:01", "--block:a=disk,1.img", "--block-sector-size:a=4096", "--block:b=x",
            "--net:service=tap100", "k",
        ])
        let blocks = options.configuration.devices.blocks
        #expect(blocks.map(\.name) == ["a", "b"] && blocks.map(\.path) == ["disk,1.img", "x"])
        #expect(blocks.map(\.sectorSize) == [4096, 512] && !blocks[0].isReadOnly)
        let net = options.configuration.devices.nets[0]
        #expect(net.name == "service" && net.interface == "tap100")
        #expect(net.address?.description == "02:00:00:00:00:01")
    }

    /// As the stock tender has it, which reads one after the other.
    @Test func ofOneNameTheLastCounts() throws {
        let devices = try HvtOptions(["--block:a=1", "--net:n=t1", "--block:a=2", "--net:n=t2", "k"]).configuration
            .devices
        #expect(devices.blocks.map(\.path) == ["2"] && devices.nets.map(\.interface) == ["t2"])
        let options = try HvtOptions(["--block:a=1", "--block-sector-size:a=4096K", "k"])
        #expect(options.configuration.devices.blocks[0].sectorSize == 4096)
    }

    @Test(arguments: ["256", "521", "0", "65536", "-512", "1000"])
    func sectorSizes(text: String) {
        #expect(
            refusal("--block:a=x", "--block-sector-size:a=\(text)", "k")
                == .wrong(
                    "Block size must be a multiple of 2 greater than or equal 512: a power of two up to 32768",
                    isFatal: false))
    }

    @Test(arguments: [
        "--foo", "--mem", "--block:a", "--block:=x", "--block=x", "--block:a=", "--net:a", "--net-mac:a=1", "-x",
        "--block-sector-size:a=x",
        "--gdb",
    ])
    func invalidOptions(option: String) {
        #expect(refusal(option, "k") == .wrong("Invalid option: `\(option)'", isFatal: false))
    }

    @Test func settingsNeedTheirDevice() {
        func words(_ setting: String, _ needed: String) -> HvtUsageError {
            .wrong("Resource not declared in manifest: 'a': \(setting):a needs \(needed)", isFatal: false)
        }
        #expect(refusal("--block-sector-size:a=512", "k") == words("--block-sector-size", "--block:a=PATH"))
        #expect(refusal("--net-mac:a=02:00:00:00:00:01", "k") == words("--net-mac", "--net:a=IFACE"))
    }

    @Test func helpVersionAndNothing() {
        #expect(refusal("--help") == .help)
        #expect(refusal("--bad", "--version", "k") == .version)
        #expect(refusal("k", "--help") == nil)
        #expect(refusal() == .wrong("Missing KERNEL operand", isFatal: false))
        #expect(refusal("--mem=4") == .wrong("Missing KERNEL operand", isFatal: false))
        #expect(refusal("--mem=4", "--") == .wrong("Missing KERNEL operand", isFatal: false))
    }

    @Test func dumpcoreNamesAFile() throws {
        let core = try HvtOptions(["--dumpcore=/tmp", "k"]).configuration.core
        #expect(core?.hasPrefix("/tmp/core.solo5-hvt.") == true)
        let words = HvtUsageError.wrong("--dumpcore=/nowhere: No such file or directory", isFatal: true)
        #expect(refusal("--dumpcore=/nowhere", "k") == words, "found now, not at the abort")
    }

    @Test func nameOfTheProgram() {
        for name in ["solo5-hvt", "./solo5-hvt", "/usr/bin/solo5-hvt", "solo5-hvt-debug"] {
            #expect(HvtCommand.isMeant(by: name))
        }
        for name in ["swiftlet", "", "/", "/opt/solo5-hvt/swiftlet", "solo5-hv", "xsolo5-hvt"] {
            #expect(!HvtCommand.isMeant(by: name))
        }
    }
}
