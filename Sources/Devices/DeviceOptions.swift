// What the user writes behind `--block` and `--net`, and solo5-hvt's options mean the same.
//
//   NAME=PATH[,ro][,sector=N]
//   NAME=tap[:IFACE][,mac=xx:xx:xx:xx:xx:xx]    NAME=bridge:BRIDGE[,mac=..]
//
// A comma inside PATH is written twice. Read next: Attachments.swift.

/// A disk to attach.
public struct BlockOption: Equatable, Sendable {
    public var name: String
    public var path: String
    public var isReadOnly = false
    /// Bytes, a power of two from 512 to 32768.
    public var sectorSize: UInt64 = 512

    public static let usage = "NAME=PATH[,ro][,sector=N]"

    public init(name: String, path: String) { (self.name, self.path) = (name, path) }

    /// As the command line has it.
    public init(_ text: String) throws(DeviceError) {
        let option = "--block"
        let (name, rest) = try deviceName(text, option, Self.usage)
        let (path, settings) = splitAtComma(rest)
        if path.isEmpty { throw .option(option, text, needed: "no path: \(Self.usage)") }
        self.init(name: name, path: path)
        for setting in settings {
            switch setting {
            case "ro": isReadOnly = true
            case let size where size.hasPrefix("sector="):
                guard let bytes = Self.sectorSize(size.dropFirst(7)) else {
                    throw .option(option, text, needed: "sector= is a power of two from 512 to 32768")
                }
                sectorSize = bytes
            default:
                throw .option(
                    option, text, needed: "'\(setting)' is no setting: \(Self.usage); a comma in PATH is written twice")
            }
        }
        try refuseRepeated(settings, option, text)
    }

    /// Nil unless it is one that a disk can have.
    public static func sectorSize(_ text: some StringProtocol) -> UInt64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let size = UInt64(text),
            (512...32768).contains(size),
            size.nonzeroBitCount == 1
        else { return nil }
        return size
    }
}

/// A network interface to attach.
public struct NetOption: Equatable, Sendable {
    public var name: String
    /// Nil: a tap is made for this machine and goes with it.
    public var interface: String?
    /// The new tap is put into this bridge of the host's.
    public var bridge: String?
    /// The guest's; nil for a random one.
    public var address: MACAddress?

    public static let usage = "NAME=tap:IFACE[,mac=xx:xx:xx:xx:xx:xx], NAME=tap or NAME=bridge:BRIDGE"

    public init(name: String, interface: String?) { (self.name, self.interface) = (name, interface) }

    /// As the command line has it.
    public init(_ text: String) throws(DeviceError) {
        let option = "--net"
        let (name, rest) = try deviceName(text, option, Self.usage)
        let (backend, settings) = splitAtComma(rest)
        self.init(name: name, interface: nil)
        let kind = backend.prefix { $0 != ":" }
        let host = kind.count == backend.count ? nil : String(backend.dropFirst(kind.count + 1))
        switch (kind, host) {
        case ("tap", nil): break
        case ("tap", let host?) where Self.isInterfaceName(host): interface = host
        case ("bridge", let host?) where Self.isInterfaceName(host): bridge = host
        default: throw .option(option, text, needed: "'\(backend)' is no tap: \(Self.usage)")
        }
        for setting in settings {
            guard setting.hasPrefix("mac=") else {
                throw .option(option, text, needed: "'\(setting)' is no setting: \(Self.usage)")
            }
            guard let address = MACAddress(setting.dropFirst(4)), address.isUsable else {
                throw .option(option, text, needed: "mac= is a station's address such as 02:00:00:00:00:01")
            }
            self.address = address
        }
        try refuseRepeated(settings, option, text)
    }

    /// netdevice(7): up to 15 bytes; no "%", which would have the kernel number it.
    public static func isInterfaceName(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && ![0x25, 0x2f, 0x3a].contains($0) }
    }
}

/// A device's name: up to 67 letters, digits, "-" and "_" (hvt's manifests have room for as many).
public func isDeviceName(_ name: some StringProtocol) -> Bool {
    (1...67).contains(name.utf8.count)
        && name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d
                || $0 == 0x5f
        }
}

private func deviceName(_ text: String, _ option: String, _ usage: String) throws(DeviceError) -> (String, Substring) {
    guard let equals = text.firstIndex(of: "=") else { throw .option(option, text, needed: "it needs \(usage)") }
    let name = text[..<equals]
    guard isDeviceName(name) else {
        throw .option(option, text, needed: "a device's NAME is 1 to 67 letters, digits, - and _")
    }
    return (String(name), text[text.index(after: equals)...])
}

/// Which of two was meant, nobody knows.
private func refuseRepeated(_ settings: [String], _ option: String, _ text: String) throws(DeviceError) {
    let names = settings.map { $0.prefix { $0 != "=" } }
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
        throw .option(option, text, needed: "'\(name)' is there twice: give it once")
    }
}

/// What lies between single commas; of the first piece, doubled commas become single ones.
private func splitAtComma(_ text: Substring) -> (String, [String]) {
    var first = ""
    var rest = text
    while let character = rest.popFirst() {
        if character == "," {
            guard rest.first == "," else {
                return (first, rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
            }
            rest.removeFirst()
        }
        first.append(character)
    }
    return (first, [])
}
