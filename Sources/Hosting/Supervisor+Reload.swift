// The catalogue, read anew while the host runs: a maker has changed a file. What runs goes on as it was started.
//
// Read next: HostLoop.swift.

import Host

extension Supervisor {
    /// Nothing starts and nothing ends by it. Returns what came of it, in words, or throws why there is no catalogue.
    func reload() throws(ControlError) -> String {
        let entries: [CatalogueEntry]
        switch readAnew() {
        case .success(let read): entries = read
        case .failure(let problem): throw ControlError(problem.words)
        }
        var (list, rest): ([HostedMachine], [HostedMachine]) = ([], machines)
        for entry in entries {
            if let index = rest.firstIndex(where: { $0.id == entry.id }) {
                list.append(rest.remove(at: index))
            } else {
                do throws(HostError) { list.append(try machine(entry)) } catch { throw ControlError(error.message) }
            }
        }
        let new = list.count { machine in !machines.contains { $0 === machine } }
        let changed = zip(list, entries).count { $0.change(to: $1) }
        let gone = rest.count { !$0.isRemoved }
        for machine in rest { machine.isRemoved = true }
        machines = list + rest.filter { $0.state.isAlive }
        generation += 1
        return "The catalogue is read anew: \(new) new, \(changed) changed, \(gone) gone."
    }
}
