// A bridge of the catalogue: a network of the server's that several machines, and cards of the server, are in.
//
// Its file may be empty. Files of one name, in several folders, are one bridge: what a maker's disk adds to it is in it too.
// Read next: ../swiftlet-host/BridgeSetup.swift.

import Devices

public struct BridgeDefinition: Equatable, Sendable {
    public let name: String
    /// Its file, for errors.
    public let path: String
    /// Interfaces of this server that are put into it.
    public let members: [Member]

    public enum Member: Equatable, Sendable {
        case name(String)
        /// A network card's own: names may change with the order in which cards are found.
        case address(MACAddress)
    }

    init(_ name: String, _ file: DefinitionFile) throws(CatalogueError) {
        guard NetOption.isInterfaceName(name) else {
            throw file.wrong("a bridge is called by 1 to 15 printable characters, none of them %, / and :")
        }
        members = try file.read { text throws(TOMLError) in
            let fields = Fields(try TOMLReader.read(text))
            try fields.check(["interfaces"])
            return try fields.strings("interfaces").map { text throws(TOMLError) in
                if let address = MACAddress(text), address.isUsable { return .address(address) }
                if NetOption.isInterfaceName(text) { return .name(text) }
                throw fields.error(
                    "interfaces",
                    "'\(text)': an interface such as eth0 is expected, or a card's address such as 02:00:00:00:00:01")
            }
        }
        (self.name, path) = (name, file.path)
    }
}
