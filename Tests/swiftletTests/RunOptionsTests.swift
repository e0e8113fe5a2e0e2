// The command line of `swiftlet run`: every option, every way to write it, and what is wrong with the others.
//
// Read next: CompletionsTests.swift.

import Backing
import Devices
import Glibc
import TestSupport
import Testing
import VMM

@testable import swiftlet

@Suite struct RunOptionsTests {
    private func parse(_ line: String...) throws -> RunOptions { try RunOptions(line) }

    private func error(_ line: String...) -> String? {
        do throws(UsageError) {
            _ = try RunOptions(line)
            return nil
        } catch { return error.message ?? "(help)" }
    }

    @Test func imageAloneHasTheDefaults() throws {
        let options = try parse("hello.elf")
        #expect(options.configuration.image == "hello.elf")
        #expect(options.configuration.commandLine.isEmpty)
        #expect(options.configuration.memorySize == 64 << 20)
        #expect(options.configuration.timeout == nil && options.configuration.module == nil)
        #expect(!options.configuration.raw && !options.configuration.quiet && options.configuration.core == nil)
        #expect(options.statistics == nil && options.configuration.observation.isNothing)
    }

    @Test func whatIsNarrated() throws {
        let all = try parse("--step", "i")
        #expect(all.narration.steps && all.narration.limit == nil && all.configuration.observation.narration != nil)
        let some = try parse("--step=20", "--step-from", "main", "--slow=0250", "--explain", "i").narration
        #expect((some.limit, some.start, some.pause) == (20, "main", 250))
        #expect(try parse("--explain", "--slow", "1", "i").narration.isThere)
        #expect(try !parse("--explain", "i").narration.isThere)
        #expect(error("--step=0", "i") == "--step=0: a number of instructions, from 1")
        #expect(error("--step=many", "i") == "--step=many: a number of instructions, from 1")
        #expect(error("--step=", "i") == "--step=: a number of instructions, from 1")
        #expect(error("--step-from", "main", "i") == "--step-from needs --step")
        #expect(error("--slow", "5", "i") == "--slow needs --step, or --explain on standard error")
        #expect(error("--slow", "5", "--explain", "--trace", "t", "i") == error("--slow", "5", "i"))
        #expect(error("--slow", "60001", "--step", "i") == "--slow '60001': milliseconds, up to 60000")
        #expect(error("--step", "--cpus", "2", "i")?.hasPrefix("--step shows one vCPU") == true)
        for other in ["--raw", "--map-image", "--snapshot=s", "--timeout=1"] {
            let name = String(other.prefix { $0 != "=" })
            #expect(error("--step", other, "i") == "--step does not go with \(name)")
            #expect(error("--explain", "--slow", "5", other, "i") == "--slow does not go with \(name)")
        }
        #expect(error("--gdb", "-", "--step", "i") == "--gdb does not go with --step")
        #expect(error("--gdb", "-", "--explain", "--slow", "5", "i") == "--gdb does not go with --slow")
    }

    @Test func whatIsObserved() throws {
        let options = try parse("--trace", "t", "--profile=-", "--profile-rate", "99", "--stats", "i")
        let observation = options.configuration.observation
        #expect((observation.trace, observation.profile, observation.profileRate) == ("t", "-", 99))
        #expect(observation.statistics)
        #expect(try !parse("--trace=-", "i").configuration.observation.statistics)
        #expect(error("--trace", "i", "i") == "--trace would overwrite the image")
        #expect(error("--profile", "i", "i") == "--profile would overwrite the image")
        #expect(error("--profile", "x", "--trace", "x", "i") == "--trace and --profile would overwrite each other")
        #expect(try parse("--profile", "-", "--trace", "-", "i").configuration.observation.trace == "-")
        for rate in ["0", "-1", "10001", "1k", "1.5"] {
            #expect(error("--profile-rate", rate, "i") == "--profile-rate '\(rate)': samples a second, 1 to 10000")
        }
    }

    /// A trace is emptied by being opened: by then the disk would be gone.
    @Test func noOutputIsAFileThatTheRunWasGiven() throws {
        let disk = "/tmp/swiftlet-options-\(getpid()).disk"
        let links = [disk + ".symbolic", disk + ".hard"]
        defer { for path in [disk] + links { unlink(path) } }
        close(creat(disk, 0o600))
        #expect(symlink(disk, links[0]) == 0 && link(disk, links[1]) == 0)
        for path in [disk] + links {
            for option in ["--trace=", "--profile=", "--core=", "--stats=json:", "--backing=file:"] {
                let name = String(option.prefix { $0 != "=" })
                #expect(error("--block", "d=" + disk, option + path, "i") == "\(name) would overwrite the disk 'd'")
                #expect(error("--block", "d=\(disk),ro", option + path, "i") == "\(name) would overwrite the disk 'd'")
                #expect(error("--module", disk, option + path, "i") == "\(name) would overwrite the module '\(disk)'")
                #expect(error("--initrd", disk, option + path, "i") == "\(name) would overwrite the initial RAM disk")
                let item = error("--fw-cfg", "opt/a=" + disk, option + path, "i")
                #expect(item == "\(name) would overwrite the file of 'opt/a'")
                #expect(error("--cpu", disk, option + path, "i") == "\(name) would overwrite the CPU's template")
            }
            let twice = error("--block", "d=" + disk, "--block", "e=" + path, "i")
            #expect(twice == "the disk 'd' and the disk 'e' are one file")
            #expect(error("--block", "d=\(disk),ro", path) == nil, "it is only read")
        }
    }

    @Test func noTwoOutputsAreOneFile() {
        #expect(error("--trace", "x", "--stats=json:./x", "i") == "--trace and --stats would overwrite each other")
        #expect(error("--core", "x", "--profile", "x", "i") == "--core and --profile would overwrite each other")
        #expect(error("--trace", "/dev/null", "--stats=json:/dev/null", "i") == nil, "nothing is lost there")
    }

    /// FILE.1 becomes the name of a snapshot that FILE refers to.
    @Test func noOutputHasTheNameOfAnIncrement() throws {
        let series = ["--snapshot", "/tmp/s", "--snapshot-incremental"]
        for option in ["--trace=", "--core=", "--stats=json:", "--profile="] {
            let name = String(option.prefix { $0 != "=" })
            let words = "\(name) would overwrite s.12, which --snapshot-incremental needs: give it another name"
            for path in ["/tmp/s.12", "/tmp/../tmp/./s.12"] {
                do throws(UsageError) {
                    _ = try RunOptions(series + [option + path, "i"])
                    Issue.record("\(option)\(path)")
                } catch { #expect(error.message == words) }
            }
            for path in ["/s.12", "/tmp/s.x", "/tmp/s12", "/tmp/s."] {
                #expect(throws: Never.self) { try RunOptions(series + [option + path, "i"]) }
            }
            #expect(throws: Never.self) { try RunOptions(["--snapshot", "/tmp/s", option + "/tmp/s.1", "i"]) }
        }
    }

    /// As a machine does it with its disk, for writing or only for reading.
    @Test(arguments: [true, false]) func noOutputIsAnothersDisk(isReadOnly: Bool) throws {
        let folder = ScratchFolder()
        let path = try folder.file("disk", [UInt8](repeating: 1, count: 512))
        do {
            var option = BlockOption(name: "d", path: path)
            option.isReadOnly = isReadOnly
            let disk = try BlockDevice(option)
            for option in ["--trace=", "--core=", "--stats=json:", "--backing=file:", "--snapshot="] {
                let name = String(option.prefix { $0 != "=" })
                let words = "which another program has locked, as a machine does its disk"
                #expect(error(option + path, "i") == "\(name) would overwrite \(path), \(words)")
            }
            withExtendedLifetime(disk) {}
        }
        #expect(error("--trace", path, "i") == nil)
    }

    @Test func howManyCPUsAndWhich() throws {
        #expect(try parse("i").configuration.cpus == 1)
        #expect(try parse("--cpus", "64", "i").configuration.cpus == 64)
        for number in ["0", "65", "-1", "two", "1.5", "0x2"] {
            #expect(error("--cpus", number, "i") == "--cpus '\(number)': a number from 1 to 64")
        }
        #expect(try parse("i").configuration.kernel.cpu == nil)
        #expect(try parse("--cpu", "max", "i").configuration.kernel.cpu == .max)
        #expect(try parse("--cpu=min", "i").configuration.kernel.cpu == .min)
        #expect(try parse("--cpu", "./min", "i").configuration.kernel.cpu == .file("./min"))
    }

    @Test func everythingBehindTheImageIsTheGuests() throws {
        let options = try parse("--quiet", "a.elf", "--quiet", "--mem", "-x", "--", "")
        #expect(options.configuration.image == "a.elf")
        #expect(options.configuration.commandLine == "--quiet --mem -x -- ")
    }

    @Test func optionsEndAtTwoDashes() throws {
        #expect(try parse("--", "--mem").configuration.image == "--mem")
        #expect(try parse("--raw", "--", "a", "--", "b").configuration.commandLine == "-- b")
    }

    @Test func valuesStandBehindOrInTheOption() throws {
        for line in [["--mem", "2G", "a"], ["--mem=2G", "a"]] {
            #expect(try RunOptions(line).configuration.memorySize == 2 << 30)
        }
        #expect(try parse("--module=a=b", "i").configuration.module == "a=b")
        #expect(try parse("--core", "--raw", "i").configuration.core == "--raw", "a value may look like an option")
        #expect(try parse("--timeout", "0.25", "i").configuration.timeout == 250_000_000)
        #expect(try parse("--mem", "1M", "--mem", "2M", "i").configuration.memorySize == 2 << 20, "the last counts")
    }

    @Test func whatIsWrongIsSaid() {
        #expect(error() == "no image given")
        #expect(error("--raw") == "no image given")
        #expect(error("--") == "no image given")
        #expect(error("") == "no image given")
        #expect(error("--frobnicate", "i") == "unknown option '--frobnicate'")
        #expect(error("-m", "i") == "unknown option '-m'")
        #expect(error("-") == "unknown option '-'")
        #expect(error("--mem=64M=", "i") == "--mem '64M=': a size such as 64M or 2G; a bare number is MiB")
        #expect(error("--mem") == "--mem needs a value: SIZE")
        #expect(error("--raw=yes", "i") == "--raw takes no value")
        #expect(error("--module=", "i") == "--module needs a value that is not empty")
        #expect(error("--stats=json:fd:99", "i") == "--stats=json:fd:99: descriptor 99 is not open")
        #expect(error("--core", "i", "i") == "--core would overwrite the image")
        #expect(error("--stats=json:i", "i") == "--stats would overwrite the image")
        #expect(error("--timeout", "0x10", "i")?.hasPrefix("--timeout '0x10'") == true)
        #expect(error("--quiet=", "i") == "--quiet takes no value")
        #expect(error("--help") == "(help)")
        #expect(error("--help", "i") == "(help)")
    }

    @Test func theImageIsKnownByAnyName() throws {
        let folder = ScratchFolder()
        let image = try folder.file("image", [0])
        #expect(unsafe symlink("image", folder.path + "/link") == 0)
        #expect(unsafe link(image, folder.path + "/hard") == 0)
        for name in ["/./image", "//image", "/link", "/hard"] {
            let other = folder.path + name
            for option in ["--core", "--trace", "--profile", "--snapshot"] {
                #expect(error(option, other, image) == "\(option) would overwrite the image")
            }
            #expect(error("--stats=json:" + other, image) == "--stats would overwrite the image")
            #expect(error("--backing", "file:" + other, image) == "--backing would overwrite the image")
        }
    }

    @Test func memoryHasItsOptions() throws {
        let options = try parse("--mem-max", "1G", "--backing=memfd", "--prefault=3", "i").configuration
        #expect(options.memoryMaximum == 1 << 30 && options.backing == .memfd && options.prefaultThreads == 3)
        #expect(try parse("--backing", "file:a:b", "--prefault", "i").configuration.backing == .file("a:b"))
        #expect(try parse("--prefault", "i").configuration.prefaultThreads == 0)
        let defaults = try parse("i").configuration
        #expect(defaults.memoryMaximum == nil && defaults.backing == .anonymous && defaults.prefaultThreads == nil)
        #expect(error("--backing", "disk", "i") == "--backing: anon, thp, memfd, hugetlb or file:PATH")
        #expect(error("--backing", "file:", "i") == "--backing: anon, thp, memfd, hugetlb or file:PATH")
        #expect(
            error("--backing", "file:x", "--snapshot", "x", "i")
                == "--snapshot and --backing would overwrite each other")
        #expect(error("--backing", "file:i", "i") == "--backing would overwrite the image")
        #expect(error("--map-image", "--backing", "memfd", "i") == "--map-image needs --backing anon")
        #expect(try parse("--map-image", "i").configuration.mapsImage)
        #expect(error("--prefault=0", "i") == "--prefault: threads, 1 to 1024")
        #expect(error("--prefault=", "i") == "--prefault: threads, 1 to 1024")
        #expect(error("--mem-max", "x", "i") == "--mem-max 'x': a size such as 64M or 2G; a bare number is MiB")
    }

    private static let targets: [(String, String)] = [
        ("--stats", "text"), ("--stats=json", "fd 2"), ("--stats=json:fd:1", "fd 1"), ("--stats=json:fd:0", "fd 0"),
        ("--stats=json:a.json", "file a.json"), ("--stats=json:fd", "file fd"), ("--stats=json:/a:b", "file /a:b"),
    ]

    @Test(arguments: targets.indices)
    func statisticsGoSomewhere(index: Int) throws {
        let (option, words) = Self.targets[index]
        switch try parse(option, "i").statistics {
        case .text: #expect(words == "text")
        case .json(let fd): #expect(words == "fd \(fd)")
        case .jsonFile(let path): #expect(words == "file \(path)")
        case nil: Issue.record("no statistics")
        }
    }

    @Test(arguments: ["", "xml", "json:", "JSON", "json:fd:", "json:fd:-1", "json:fd:x", "json:fd:99999999999"])
    func statisticsThatGoNowhere(value: String) {
        #expect(error("--stats=\(value)", "i") == "--stats=\(value): json, json:FILE or json:fd:N")
    }
}

@Suite struct TimeLimitTests {
    @Test(
        arguments: [
            ("1", 1_000_000_000), ("0.5", 500_000_000), (".001", 1_000_000), ("31536000", 31_536_000_000_000_000),
        ]
            as [(String, UInt64)])
    func secondsWithAFraction(text: String, time: UInt64) throws { #expect(try nanoseconds(text) == time) }

    @Test(arguments: ["", "0", "-1", "nan", "inf", "-inf", "1s", "1,5", " 1", "1e-3", "31536001", "1e300", "0.0"])
    func whatIsNoTimeLimit(text: String) {
        #expect { try nanoseconds(text) } throws: {
            ($0 as? UsageError)?.message
                == "--timeout '\(text)': seconds above 0 and up to a year (31536000), such as 10 or 0.5"
        }
    }
}

@Suite struct MemorySizeTests {
    private func parse(_ text: String) -> (UInt64?, String?) {
        do throws(MemorySizeError) { return (try MemorySize.parse(text), nil) } catch { return (nil, error.message) }
    }

    @Test(
        arguments: [
            ("64", 64 << 20), ("64M", 64 << 20), ("64m", 64 << 20), ("1024K", 1 << 20), ("1028k", 0x10_1000),
            ("2G", 2 << 30), ("3g", 3 << 30), ("1T", 1 << 40), ("1", 1 << 20), ("001", 1 << 20), ("4194304T", 1 << 62),
        ] as [(String, UInt64)])
    func sizesAreRead(text: String, size: UInt64) { #expect(parse(text).0 == size) }

    @Test(arguments: [
        "", "M", "x", "64X", "64MB", "1.5G", "-1", "0x10", "64 M", "６４", "99999999999999999999", "8388608T",
        "16777216T",
        "9223372036854775808",
    ])
    func whatIsNoSize(text: String) {
        #expect(parse(text).1 == "'\(text)': a size such as 64M or 2G; a bare number is MiB")
    }

    @Test(arguments: ["0", "0M", "1K", "1023K"])
    func tooSmall(text: String) { #expect(parse(text).1 == "'\(text)': at least 1M") }

    @Test(arguments: ["1025K", "2049k"])
    func noWholePages(text: String) { #expect(parse(text).1 == "'\(text)': not a multiple of 4K") }
}
