// The devices that an image declares: `swiftlet run` takes it with all of them attached, and with no others.
//
// Read with the eyes of `run`, so that a note or a manifest that it would refuse is a problem here too.
// Read next: InspectionText.swift, Devices/Attachments.swift.

import Boot
import Devices
import VMM

struct NeededDevice: Encodable, Equatable, Sendable {
    var name: String
    /// "block", "net" or "console".
    var kind: String
    /// What attaches it; nil for the console, which is there. FILE is for the user to fill in.
    var option: String?

    init(_ name: String, _ kind: DeviceKind?) {
        self.name = name
        switch kind {
        case .block?: (self.kind, option) = ("block", "--block \(name)=FILE")
        case .net?: (self.kind, option) = ("net", "--net \(name)=tap")
        case nil: self.kind = "console"
        }
    }

    /// In the order of the file.
    static func list(_ file: borrowing InspectedFile) throws(MachineError) -> [NeededDevice] {
        let image = try MemoryPlan.read(file)
        if image.swiftletNote == nil, image.hasSolo5Note {
            do throws(Solo5Error) { return try list(image.hvtManifest) } catch {
                throw .image(file.path, .solo5(error))
            }
        }
        let notes = try fromImage(file.path, try image.deviceNotes())
        return notes.map { NeededDevice($0.name, DeviceKind(rawValue: $0.kind)) }
    }

    /// One that no option can attach is never run.
    private static func list(_ manifest: Solo5Manifest) throws(Solo5Error) -> [NeededDevice] {
        try manifest.devices.map { device throws(Solo5Error) in
            if !isDeviceName(device.name) {
                throw .invalidManifest("the device name '\(device.name)' is not 1 to 67 letters, digits, - and _")
            }
            switch device.kind {
            case .block: return NeededDevice(device.name, .block)
            case .network: return NeededDevice(device.name, .net)
            case .unknown: throw .notAttached([device], add: "")
            }
        }
    }
}
