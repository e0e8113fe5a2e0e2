// Why a disk or a network interface cannot be attached: what is wrong, and what to write or to do instead.
//
// What happens to a device later is no error of ours but a result that its guest is told (BlockResult, FrameResult).
// Read next: DeviceOptions.swift.

import Glibc
import Host

public enum DeviceError: Error, Equatable, Sendable {
    /// `--block TEXT` or `--net TEXT` is malformed: which part, and what it must be.
    case option(String, String, needed: String)
    /// Two devices of one name.
    case sameName(String)
    case tooMany(Int)
    /// A kernel's machine has a line for each device.
    case tooManyForLines(Int, most: Int)
    /// The image needs this device.
    case notAttached(String, DeviceKind)
    /// The image knows no device of this name.
    case notDeclared(String, known: [String])
    case wrongKind(String, declared: DeviceKind)
    /// A snapshot was asked for.
    case notInSnapshots
    /// The disk is the image.
    case isImage(path: String)

    /// A system call on the disk's file failed.
    case file(path: String, call: String, errno: Int32)
    case notAFile(path: String)
    case inUse(path: String, isReadOnly: Bool)
    case badSize(name: String, path: String, size: UInt64, sectorSize: UInt64)

    case noTunDevice(errno: Int32)
    case noInterface(String)
    case interfaceDown(String)
    case interfaceBusy(String)
    /// Nor is a tap one here that was made with multi_queue: each who attaches to it gets a part of the frames.
    case notATap(String)
    case notPermitted(String?)
    case interface(String, call: String, errno: Int32)
    case bridge(BridgeError)

    /// One line.
    public var message: String { message(for: .swiftlet) }

    /// The same, with advice that the reader's command line can take.
    public func message(for options: DeviceDialect) -> String {
        switch self {
        case .option(let option, let text, let needed): "\(option) '\(text)': \(needed)"
        case .sameName(let name): "two devices are named '\(name)': give each name once"
        case .tooMany(let count): "\(count) devices: a machine has at most \(Attachments.most)"
        case .tooManyForLines(let count, let most):
            "\(count) disks and networks: a kernel's machine has interrupt lines for \(most)"
        case .notAttached(let name, let kind):
            "the image needs the \(kind.words) '\(name)': add \(kind.example(name))"
        case .notDeclared(let name, let known): Self.notDeclared(name, known)
        case .wrongKind(let name, let declared):
            "'\(name)' is a \(declared.words) in the image's manifest: use \(declared.example(name))"
        case .notInSnapshots:
            "the image declares devices, and a disk or a network is not in a snapshot: leave out --snapshot"
        case .isImage(let path):
            "\(path): the disk is the image itself: attach a copy" + options.readOnly(", or this one")
        case .file, .notAFile, .inUse, .badSize: diskMessage(options)
        case .noTunDevice, .noInterface, .interfaceDown, .interfaceBusy, .notATap, .notPermitted, .interface:
            networkMessage
        case .bridge(let error): error.message
        }
    }

    private static func notDeclared(_ name: String, _ known: [String]) -> String {
        let others = known.isEmpty ? "it declares no device" : "it declares \(known.joined(separator: ", "))"
        return "the image declares no device '\(name)': \(others)"
    }

    private func diskMessage(_ options: DeviceDialect) -> String {
        switch self {
        case .file(let path, "lock", let errno):
            "\(path): cannot be locked against a second writer: \(errnoText(errno)): use a file system with locks"
        case .file(let path, _, EBUSY):
            "\(path): in use by this host: unmount it first" + options.readOnly(", or attach it")
        case .file(let path, "open", let errno) where errno == EACCES || errno == EROFS:
            "\(path): \(errnoText(errno))" + options.readOnly(": if it need not be written, attach it")
        case .file(let path, "open", ENOENT): "\(path): \(errnoText(ENOENT)): \(Self.howToMakeDisk(path))"
        case .file(let path, "open", let errno): "\(path): \(errnoText(errno))"
        case .file(let path, let call, let errno): "\(path): \(call): \(errnoText(errno))"
        case .notAFile(let path): "\(path): neither a regular file nor a block device"
        case .inUse(let path, let isReadOnly):
            isReadOnly
                ? "\(path): another program writes to it: end that first"
                : "\(path): another program uses it" + options.readOnly("; to share it, all must attach it")
        case .badSize(_, let path, 0, _) where path.hasPrefix("/dev/"):
            "\(path): a block device without a disk behind it"
        case .badSize(_, let path, let size, let sector) where size < sector:
            "\(path): \(size) bytes, less than one sector of \(sector): \(Self.howToMakeDisk(path))"
        case .badSize(let name, let path, let size, let sector):
            "\(path): \(size) bytes are no multiple of its sectors' \(sector): "
                + (size % 512 == 0 ? "give another \(options.sectorSize(name)) or " : "")
                + "lengthen it to \((size / sector + 1) * sector)"
        default: ""
        }
    }

    private static func howToMakeDisk(_ path: String) -> String { "'truncate -s 64M \(path)' makes a disk" }

    private var networkMessage: String {
        switch self {
        case .noTunDevice(let errno): "/dev/net/tun: \(errnoText(errno)): load the module tun, or get permission for it"
        case .noInterface(let name): "no interface '\(name)' on this host: \(Self.howToMake(name))"
        case .interfaceDown(let name): "the interface '\(name)' is down: sudo ip link set \(name) up"
        case .interfaceBusy(let name): "the interface '\(name)' is in use by another program"
        case .notATap(let name): "the interface '\(name)' is no tap, or has multi_queue: \(Self.howToMake("tap0"))"
        case .notPermitted(let name?):
            "no permission for the interface '\(name)': it must be yours (sudo ip tuntap add \(name) mode tap user $USER)"
        case .notPermitted(nil):
            "making a tap needs CAP_NET_ADMIN: \(Self.howToMake("tap0")), then attach it with NAME=tap:tap0"
        case .interface(let name, let call, let errno): "the interface '\(name)': \(call): \(errnoText(errno))"
        default: ""
        }
    }

    private static func howToMake(_ name: String) -> String {
        "sudo ip tuntap add \(name) mode tap user $USER && sudo ip link set \(name) up"
    }
}

/// Whose command line attaches the devices: an advice names options that it has.
public enum DeviceDialect: Sendable {
    case swiftlet
    case solo5

    /// solo5-hvt has no option for a disk that is only read.
    func readOnly(_ advice: String) -> String { self == .swiftlet ? "\(advice) with ,ro" : "" }

    func sectorSize(_ name: String) -> String {
        self == .swiftlet ? ",sector=N" : "--block-sector-size:\(name)=N"
    }

    public func example(_ name: String, _ kind: DeviceKind) -> String {
        switch (self, kind) {
        case (.swiftlet, .block): "--block \(name)=PATH"
        case (.swiftlet, .net): "--net \(name)=tap:IFACE"
        case (.solo5, .block): "--block:\(name)=PATH"
        case (.solo5, .net): "--net:\(name)=IFACE"
        }
    }
}

/// What a device is.
public enum DeviceKind: UInt32, Sendable {
    case block = 1
    case net = 2

    var words: String { self == .block ? "disk" : "network interface" }
    func example(_ name: String) -> String { DeviceDialect.swiftlet.example(name, self) }
}
