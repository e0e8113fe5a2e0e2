// The options' text, and whether what is declared and what is attached match.

import Devices
import Glibc
import TestSupport
import Testing

@Suite struct OptionTests {
    @Test func aDiskNeedsANameAndAPath() throws {
        let plain = try BlockOption("data=/dev/sda,ro")
        #expect((plain.name, plain.path, plain.isReadOnly, plain.sectorSize) == ("data", "/dev/sda", true, 512))
        let comma = try BlockOption("a-1_B=a,,b=c.img,sector=4096")
        #expect((comma.name, comma.path, comma.isReadOnly, comma.sectorSize) == ("a-1_B", "a,b=c.img", false, 4096))
    }

    @Test(arguments: [
        "", "data", "=x", "data=", "da ta=x", "data=x,", "data=x,rw", "data=,ro", "data=x,sector=", "data=x,sector=513",
        "data=x,sector=256", "data=x,sector=65536", "data=x,sector=+512", "data=x,sector=99999999999999999999",
        "data=x,ro,ro", "data=x,sector=512,ro,sector=512", "d\u{e4}ta=x", String(repeating: "n", count: 68) + "=x",
    ])
    func wrongDisksSayWhatIsNeeded(_ text: String) {
        let error = #expect(throws: DeviceError.self) { try BlockOption(text) }
        #expect(error?.message.hasPrefix("--block '\(text)': ") == true)
    }

    @Test func aNetworkIsATap() throws {
        let made = try NetOption("net0=tap")
        #expect(made.interface == nil && made.bridge == nil && made.address == nil)
        let bridged = try NetOption("net0=bridge:br,,0,mac=02:00:00:00:00:01")
        #expect((bridged.interface, bridged.bridge, bridged.address?[0]) == (nil, "br,0", 2))
        let given = try NetOption("net0=tap:tap100,mac=02:00:00:00:00:fE")
        #expect((given.name, given.interface, given.address?.description) == ("net0", "tap100", "02:00:00:00:00:fe"))
    }

    @Test(arguments: [
        "net0", "net0=", "net0=tap:", "net0=tun0", "net0=tap:a/b", "net0=tap:..", "net0=tap:tap%d", "net0=tap,ro",
        "net0=tap:abcdefghijklmnop", "net0=bridge", "net0=bridge:", "net0=bridge:abcdefghijklmnop", "net0=bridges:a",
        "net0=tap,mac=", "net0=tap,mac=02:00:00:00:00", "net0=tap,mac=02:00:00:00:00:0g",
        "net0=tap,mac=01:00:00:00:00:01", "net0=tap,mac=00:00:00:00:00:00", "net0=tap,mac=+2:00:00:00:00:01",
        "net0=tap,mac=02:-0:00:00:00:01",
        "net0=tap,mac=02:00:00:00:00:01,mac=02:00:00:00:00:02",
    ])
    func wrongNetworksSayWhatIsNeeded(_ text: String) {
        let error = #expect(throws: DeviceError.self) { try NetOption(text) }
        #expect(error?.message.hasPrefix("--net '\(text)': ") == true)
    }

    @Test func randomAddressesAreLocalStations() throws {
        let (a, b) = (try MACAddress.random(), try MACAddress.random())
        #expect(a != b && a.isUsable && a[0] & 3 == 2 && MACAddress(a.description) == a)
    }

    private let declared = [DeclaredDevice(name: "disk", kind: .block), DeclaredDevice(name: "net", kind: .net)]

    private func attachments(blocks: [String], nets: [String]) -> Attachments {
        var attachments = Attachments()
        attachments.blocks = blocks.map { BlockOption(name: $0, path: "/nonexistent") }
        attachments.nets = nets.map { NetOption(name: $0, interface: "nonexistent0") }
        return attachments
    }

    @Test func declaredAndAttachedAreTheSame() throws {
        try attachments(blocks: ["disk"], nets: ["net"]).check(declared)
        try Attachments().check([])
        #expect(throws: DeviceError.notAttached("net", .net)) {
            try attachments(blocks: ["disk"], nets: []).check(declared)
        }
        #expect(throws: DeviceError.notDeclared("more", known: ["disk", "net"])) {
            try attachments(blocks: ["disk", "more"], nets: ["net"]).check(declared)
        }
        #expect(throws: DeviceError.wrongKind("net", declared: .net)) {
            try attachments(blocks: ["disk", "net"], nets: []).check(declared)
        }
        #expect(throws: DeviceError.sameName("disk")) {
            try attachments(blocks: ["disk", "disk"], nets: ["net"]).check(declared)
        }
        let many = (0..<64).map { "d\($0)" }
        #expect(throws: DeviceError.tooMany(64)) {
            try attachments(blocks: many, nets: []).check(many.map { DeclaredDevice(name: $0, kind: .block) })
        }
    }

    @Test func nothingIsOpenedBeforeAllNamesMatch() {
        #expect(throws: DeviceError.notAttached("net", .net)) {
            try attachments(blocks: ["disk"], nets: []).open(declared, image: "guest.elf")
        }
    }

    /// By whatever name.
    @Test func theImageIsNoDiskToWriteTo() throws {
        let folder = ScratchFolder()
        let image = try folder.file("image", [UInt8](repeating: 0, count: 512))
        let other = folder.path + "/other"
        #expect(link(image, other) == 0)
        var attachments = Attachments()
        for path in [image, other] {
            attachments.blocks = [BlockOption(name: "disk", path: path)]
            #expect(throws: DeviceError.isImage(path: path)) {
                try attachments.open([declared[0]], image: image)
            }
        }
        attachments.blocks[0].isReadOnly = true
        #expect(try attachments.open([declared[0]], image: image).count == 1)
    }

    /// solo5-hvt's command line knows neither.
    @Test func adviceIsForTheReadersCommandLine() {
        let errors: [DeviceError] = [
            .isImage(path: "p"), .file(path: "p", call: "open", errno: EBUSY),
            .file(path: "p", call: "open", errno: EROFS), .inUse(path: "p", isReadOnly: false),
            .badSize(name: "n", path: "p", size: 1536, sectorSize: 1024),
        ]
        for error in errors {
            #expect(error.message.contains(",ro") || error.message.contains(",sector=N"))
            let words = error.message(for: .solo5)
            #expect(!words.contains(",ro") && !words.contains(",sector="), "\(words)")
        }
    }
}
