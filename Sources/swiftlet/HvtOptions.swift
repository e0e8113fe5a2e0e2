// solo5-hvt's command line: [OPTIONS] [--] KERNEL [ARGS].
//
// The words of errors and of the usage text are the stock tender's where its users may look for them.
// Read next: HvtCommand.swift.

import Devices
import Glibc
import Host
import VMM

/// A command line that is no run.
enum HvtUsageError: Error, Equatable {
    case help
    case version
    /// What is wrong; unless it is fatal the usage text follows.
    case wrong(String, isFatal: Bool)
}

struct HvtOptions {
    var configuration = Configuration(image: "")
    var warnings: [String] = []
    private var sectorSizes: [(name: String, size: UInt64)] = []
    private var addresses: [(name: String, address: MACAddress)] = []

    init<Words: RandomAccessCollection<String>>(_ arguments: Words) throws(HvtUsageError)
    where Words.Index == Int {
        configuration.memorySize = 512 << 20
        configuration.program = HvtCommand.name
        configuration.devices.dialect = .solo5
        // Help and version count wherever they stand, and a missing KERNEL before any other mistake.
        let end = arguments.firstIndex { !$0.hasPrefix("-") || $0 == "--" } ?? arguments.endIndex
        for index in arguments.startIndex..<end {
            if arguments[index] == "--help" { throw .help }
            if arguments[index] == "--version" { throw .version }
        }
        let kernel = end < arguments.endIndex && arguments[end] == "--" ? end + 1 : end
        guard kernel < arguments.endIndex else { throw .wrong("Missing KERNEL operand", isFatal: false) }
        for index in arguments.startIndex..<end { try take(arguments[index]) }
        configuration.image = arguments[kernel]
        for index in (kernel + 1)..<arguments.endIndex { configuration.append(argument: arguments[index]) }
        try applySettings()
    }

    /// KEY=VALUE or KEY:NAME=VALUE. By bytes: characters, and a split, would have Swift's runtime look types up, 0.1 ms.
    private mutating func take(_ argument: String) throws(HvtUsageError) {
        var invalid: HvtUsageError { .wrong("Invalid option: `\(argument)'", isFatal: false) }
        let bytes = argument.utf8
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { throw invalid }
        let colon = bytes[..<equals].firstIndex(of: UInt8(ascii: ":"))
        let nameStart = colon.map { bytes.index(after: $0) } ?? equals
        let key = String(Substring(bytes[..<nameStart]))
        let name = String(Substring(bytes[nameStart..<equals]))
        let value = String(Substring(bytes[bytes.index(after: equals)...]))
        if colon != nil, value.isEmpty || !isDeviceName(name) { throw invalid }
        switch key {
        case "--mem": configuration.memorySize = try memory(value)
        case "--dumpcore": configuration.core = "\(try dumpFolder(value, argument))/core.solo5-hvt.\(getpid())"
        case "--block:":
            configuration.devices.blocks.removeAll { $0.name == name }  // of two the last counts
            configuration.devices.blocks.append(BlockOption(name: name, path: value))
        case "--block-sector-size:":
            guard let number = leadingNumber(value) else { throw invalid }
            guard let size = BlockOption.sectorSize(String(number)) else {
                throw .wrong(
                    "Block size must be a multiple of 2 greater than or equal 512: a power of two up to 32768",
                    isFatal: false)
            }
            sectorSizes.append((name, size))
        case "--net:":
            if value.hasPrefix("@") {
                throw .wrong("Could not attach interface: \(value): name a tap instead", isFatal: true)
            }
            configuration.devices.nets.removeAll { $0.name == name }
            configuration.devices.nets.append(NetOption(name: name, interface: value))
        case "--net-mac:":
            guard let address = MACAddress(value) else { throw invalid }
            addresses.append((name, address))
        default: throw invalid
        }
    }

    /// One that a file can be made in.
    private func dumpFolder(_ path: String, _ argument: String) throws(HvtUsageError) -> String {
        do throws(HostError) { try checkFolder(path, for: argument) } catch {
            throw .wrong(error.message, isFatal: true)
        }
        return path
    }

    /// MiB; rounded down to pages of 2 MiB, to one at least. A negative number is one of 64 bits, and so too large.
    private mutating func memory(_ text: String) throws(HvtUsageError) -> UInt64 {
        let given = UInt64(bitPattern: leadingNumber(text) ?? 0) << 20
        if given == 0 { throw .wrong("Malformed argument to --mem", isFatal: true) }
        let size = max(given & ~0x1f_ffff, 0x20_0000)
        if size != given { warnings.append("adjusting memory to \(size) bytes") }
        if size > 4 << 30 {
            throw .wrong("guest memory size \(size) bytes exceeds the max size 4294967296 bytes", isFatal: true)
        }
        return size
    }

    /// As sscanf(3) reads it, which scripts may rest on: white space, a sign, digits; what is behind them counts for nothing,
    /// and a number that is too large is the largest.
    private func leadingNumber(_ text: String) -> Int64? {
        var rest = text.utf8.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        if digits.isEmpty { return nil }
        return Int64((isNegative ? "-" : "") + String(Substring(digits))) ?? (isNegative ? .min : .max)
    }

    /// What is said of a device stands before or behind the option that attaches it.
    private mutating func applySettings() throws(HvtUsageError) {
        for (name, size) in sectorSizes {
            guard let index = configuration.devices.blocks.firstIndex(where: { $0.name == name }) else {
                throw notAttached("--block-sector-size:\(name)", "--block:\(name)=PATH", name)
            }
            configuration.devices.blocks[index].sectorSize = size
        }
        for (name, address) in addresses {
            guard let index = configuration.devices.nets.firstIndex(where: { $0.name == name }) else {
                throw notAttached("--net-mac:\(name)", "--net:\(name)=IFACE", name)
            }
            configuration.devices.nets[index].address = address
        }
    }

    private func notAttached(_ setting: String, _ needed: String, _ name: String) -> HvtUsageError {
        .wrong("Resource not declared in manifest: '\(name)': \(setting) needs \(needed)", isFatal: false)
    }

    static let usage = """
        usage: solo5-hvt [ CORE OPTIONS ] [ MODULE OPTIONS ] [ -- ] KERNEL [ ARGS ]
        KERNEL is the filename of the unikernel to run.
        ARGS are optional arguments passed to the unikernel.
        Core options:
          [ --mem=512 ] (guest memory in MB)
            --help (display this help)
            --version (display version information)
        Compiled-in modules: blk net dumpcore
        Compiled-in module options:
            --block:NAME=PATH (attach block device/file at PATH as block storage NAME)
          [ --block-sector-size:NAME=SECTORSIZE ] (set sector size for block device NAME; must be a power of two \
        greater than or equal 512, up to 32768)
            --net:NAME=IFACE (attach tap at IFACE as network NAME)
          [ --net-mac:NAME=HWADDR ] (set HWADDR for network NAME, such as 02:00:00:00:00:01; random without)
            --dumpcore=DIR (enable guest core dump on abort/trap)

        """
}
