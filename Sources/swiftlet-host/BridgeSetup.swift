// The bridges of the catalogue, made when the host starts or reads it anew; those that were not there before go with it.
//
// What cannot be done is a bad entry of the list, called by the file's name. Read next: MachineList.swift.

import Catalogue
import Devices
import Hosting

final class BridgeSetup {
    private var made: [Bridge] = []

    /// Returns what is wrong. What is as it should be already stays as it is.
    func setUp(_ definitions: [BridgeDefinition]) -> [CatalogueEntry] {
        var problems: [CatalogueEntry] = []
        for definition in definitions {
            do throws(BridgeError) {
                let bridge = try Bridge(making: definition.name)
                if bridge.isNew { made.append(bridge) }
                for member in definition.members { try bridge.connect(interface(member)) }
            } catch {
                problems.append(
                    CatalogueEntry(id: "\(definition.name).bridge", problem: "\(definition.path): \(error.message)"))
            }
        }
        return problems
    }

    private func interface(_ member: BridgeDefinition.Member) throws(BridgeError) -> String {
        switch member {
        case .name(let name): return name
        case .address(let address):
            guard let name = try Bridge.card(address) else { throw .noInterface(address.description) }
            return name
        }
    }

    deinit { for bridge in made { bridge.remove() } }
}
