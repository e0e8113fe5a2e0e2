// Why a Solo5 unikernel cannot be run, in words that hold those of the stock tender: its users search for them.
//
// Read next: Solo5Manifest.swift.

/// What is wrong with a unikernel, beyond what is wrong with any image.
public enum Solo5Error: Error, Equatable, Sendable {
    case noABI
    case wrongTarget(UInt32)
    case unsupportedVersion(UInt32)
    case noManifest
    case invalidManifest(String)
    case noteSize(UInt64)
    case notStatic
    case segment(UInt64, String)
    case entry(UInt64)
    case memorySize(UInt64)
    /// An option of `swiftlet run` that is about Swiftlet's own guests.
    case option(String)
    /// A device that the manifest does not have, and those that it has.
    case notDeclared(String, known: [Solo5Manifest.Device])
    case device(String)
    /// Devices of the manifest, and the options that would attach them.
    case notAttached([Solo5Manifest.Device], add: String)
    case commandLineTooLong(size: Int, limit: Int)

    /// Whether the options are wrong, and not the image.
    public var isAboutDevices: Bool {
        switch self {
        case .device, .notDeclared, .notAttached: true
        default: false
        }
    }

    /// One line: what, and what to do.
    public var message: String {
        switch self {
        case .noABI: "No Solo5 ABI information found in executable"
        case .wrongTarget(let target):
            "Executable is not for the solo5-hvt target, but for \(Solo5.name(target: target) ?? "target \(target)"): "
                + "build it for hvt"
        case .unsupportedVersion(let version):
            "Executable requests unsupported ABI version \(version): version \(Solo5.hvtVersion) is supported"
        case .noManifest: "No Solo5 manifest found in executable"
        case .invalidManifest(let what): "Solo5 manifest is invalid: \(what)"
        case .noteSize(let size): "invalid executable: note does not fall within valid size (\(size) bytes)"
        case .notStatic: "invalid executable: position-independent, but hvt unikernels are linked at fixed addresses"
        case .segment(let address, let what): "invalid executable: the segment at \(hex(address)) \(what)"
        case .entry(let address):
            "invalid executable: e_entry does not fall within the memory allocation (\(hex(address)))"
        case .memorySize(let size): "\(mebibytes(size)) of memory: a unikernel can have 2 MiB to 4 GiB"
        case .option(let name): "a Solo5 unikernel, for which there is no \(name)"
        case .notDeclared(let name, let known):
            "Resource not declared in manifest: '\(name)': it declares "
                + (known.isEmpty ? "no device" : known.map { "\($0.name) (\($0.typeName))" }.joined(separator: ", "))
        case .device(let what): what
        case .notAttached(let devices, let add):
            devices.map { "Device '\($0.name)' of type \($0.typeName) declared but not attached. " }.joined()
                + "All declared devices must be attached" + (add.isEmpty ? "" : ": add \(add)")
        case .commandLineTooLong(let size, let limit):
            "Guest command line too long: \(size) bytes (max=\(limit) characters)"
        }
    }
}

extension Solo5 {
    /// Of a target of its elf_abi.h; nil for one that this version does not know.
    public static func name(target: UInt32) -> String? {
        switch target {
        case hvtTarget: "hvt"
        case 2: "spt"
        case 3: "virtio"
        case 4: "muen"
        case 5: "genode"
        case 6: "xen"
        default: nil
        }
    }
}
