// The chooser: what the person at a terminal sees and what a key does. Each terminal has its own; the machines are common.
//
// It draws on a Screen and knows no terminal. Read next: Chooser+List.swift.

import Host

final class Chooser {
    let supervisor: Supervisor
    let facts: HostFacts
    /// Leaves a machine's console.
    let leaveKey: UInt8

    var view = View.list
    var selected = 0 { didSet { chosen = machine } }
    private var chosen: HostedMachine?
    /// The first machine that is on the screen.
    var top = 0
    /// One line: what became of the last key.
    var message = ""

    enum View {
        case list
        case pages(Pages)
        case question(Question)
    }

    enum Question {
        case stop(HostedMachine), restart(HostedMachine), quit, power
    }

    init(_ supervisor: Supervisor, _ facts: HostFacts, leaveKey: UInt8) {
        (self.supervisor, self.facts, self.leaveKey) = (supervisor, facts, leaveKey)
    }

    var machine: HostedMachine? {
        supervisor.machines.indices.contains(selected) ? supervisor.machines[selected] : nil
    }

    /// The list may have changed since: the mark stays on its machine.
    private func followChosen() {
        let index = supervisor.machines.firstIndex { $0 === chosen } ?? selected
        selected = max(0, min(index, supervisor.machines.count - 1))
    }

    /// Returns the machine whose console is wanted.
    func press(_ key: Key) -> HostedMachine? {
        followChosen()
        message = ""
        if supervisor.cancelCountdowns() {
            message = "The autostart is off: nothing starts by itself now."
            return nil
        }
        switch view {
        case .list: return pressInList(key)
        case .pages(var pages):
            view = pages.press(key) ? .pages(pages) : .list
        case .question(let question):
            view = .list
            answer(question, key)
        }
        return nil
    }

    func draw(on screen: inout Screen, _ now: UInt64) {
        screen.clear()
        followChosen()
        switch view {
        case .list, .question: drawList(on: &screen, now)
        case .pages(var pages):
            pages.draw(on: &screen, now, facts)
            view = .pages(pages)
        }
    }

    private func pressInList(_ key: Key) -> HostedMachine? {
        switch key {
        case .up, .letter(UInt8(ascii: "k")): selected = max(0, selected - 1)
        case .down, .letter(UInt8(ascii: "j")): selected = min(max(0, supervisor.machines.count - 1), selected + 1)
        case .home, .pageUp: selected = 0
        case .end, .pageDown: selected = max(0, supervisor.machines.count - 1)
        case .letter(UInt8(ascii: "h")):
            facts.ask()
            view = .pages(Pages(.facts))
        case .letter(UInt8(ascii: "c")):
            do throws(ControlError) { message = try supervisor.reload() } catch { message = error.message }
        case .letter(UInt8(ascii: "p")) where supervisor.power != nil: view = .question(.power)
        case .letter(UInt8(ascii: "q")) where supervisor.power == nil, .control(3) where supervisor.power == nil: quit()
        default: return machine.flatMap { pressOn($0, key) }
        }
        return nil
    }

    private func pressOn(_ machine: HostedMachine, _ key: Key) -> HostedMachine? {
        switch key {
        case .enter:
            if machine.state.isAlive { return machine }
            tell(supervisor.start(machine), "\(machine.id) is started; Enter shows its console.")
        case .letter(UInt8(ascii: "a")), .right:
            if machine.state.isAlive { return machine }
            message = "\(machine.id) does not run: Enter starts it."
        case .letter(UInt8(ascii: "s")):
            if machine.state.isAlive { view = .question(.stop(machine)) } else { tell(supervisor.stop(machine), "") }
        case .letter(UInt8(ascii: "r")):
            if machine.state.isAlive {
                view = .question(.restart(machine))
            } else {
                tell(supervisor.restart(machine), "\(machine.id) is started.")
            }
        case .letter(UInt8(ascii: "l")): view = .pages(Pages(.log(machine)))
        case .letter(UInt8(ascii: "d")): view = .pages(Pages(.details(machine)))
        default: break
        }
        return nil
    }

    private func quit() {
        if running == 0 { supervisor.end(.quit) } else { view = .question(.quit) }
    }

    private var running: Int { supervisor.machines.count { $0.state.isAlive } }

    func words(_ question: Question) -> String {
        let ended = running == 0 ? "" : running == 1 ? " It ends a machine." : " It ends \(running) machines."
        return switch question {
        case .stop(let machine): "Stop \(machine.id)? y: yes, any other key: no"
        case .restart(let machine): "Stop \(machine.id) and start it again? y: yes, any other key: no"
        case .quit: "Quit?\(ended) y: yes, any other key: no"
        case .power: "o: power off, r: reboot, any other key: neither.\(ended)"
        }
    }

    private func answer(_ question: Question, _ key: Key) {
        let isYes = key == .letter(UInt8(ascii: "y"))
        switch question {
        case .stop(let machine) where isYes: tell(supervisor.stop(machine), "\(machine.id) is stopping.")
        case .restart(let machine) where isYes: tell(supervisor.restart(machine), "\(machine.id) starts again.")
        case .quit where isYes: supervisor.end(.quit)
        case .power where key == .letter(UInt8(ascii: "o")): supervisor.end(.powerOff)
        case .power where key == .letter(UInt8(ascii: "r")): supervisor.end(.reboot)
        default: break
        }
    }

    private func tell(_ why: String?, _ success: String) { message = why ?? success }
}
