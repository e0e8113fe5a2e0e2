// A debugger that sends whatever it likes to a guest of two vCPUs.
//
// Lines: each is a packet's content and is sent framed, so that a mutation gets behind the checksum; behind a '!' it is sent as it
// is. Whatever comes, each answer is a packet, and no register gets what KVM would refuse.
// Read next: ../../../Sources/Debugger/Session.swift.

@_spi(InventedExits) import Debugger

public func talkAsDebugger(_ input: UnsafeBufferPointer<UInt8>) {
    var debugger = InventedDebugger(vcpus: 2)
    for line in input.split(separator: 0x0a, omittingEmptySubsequences: false) where !debugger.isOver {
        let bytes = line.first == UInt8(ascii: "!") ? Array(line.dropFirst()) : InventedDebugger.framed(Array(line))
        require(debugger.feed(bytes), "so little is not too much")
        require(debugger.answersWell, "an answer is a packet")
        require(debugger.guestIsSane, "registers are such that the vCPU can run")
    }
}

public func debuggerSeeds() -> [Seed] {
    func seed(_ name: String, _ lines: [String]) -> Seed { (name, Array(lines.joined(separator: "\n").utf8)) }
    let zeros = String(repeating: "00", count: 16)
    return [
        seed("hello", ["qSupported:swbreak+;hwbreak+", "?", "QStartNoAckMode", "qAttached", "qC", "qHostInfo"]),
        seed(
            "xml", ["qXfer:features:read:target.xml:0,ffb", "qXfer:features:read:target.xml:ffb,ffb", "qProcessInfo"]),
        seed("threads", ["qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,2", "Hg2", "Hc-1", "Hc1", "T2", "T3"]),
        seed("registers", ["g", "p10", "P10=0000040000000000", "G" + zeros, "P38=801f0000", "p3a", "P3a=" + zeros]),
        seed("vectors", ["P28=" + zeros, "P18=00000000000000000000", "P1a=ffff0000", "p1a", "P39=" + zeros]),
        seed("x87", ["P20=7f030000", "P22=ffff0000", "P22=00000000", "P24=12345678", "P27=00000000", "p22", "p24"]),
        seed("bases", ["P4a=0000000000000080", "P49=0010000000000000", "P4b=00", "p4c"]),
        seed("memory", ["m40000,10", "M40000,2:9090", "X40000,3:abc", "m4fff0,20", "m0,1"]),
        seed("breakpoints", ["Z0,40000,1", "Z1,40010,1", "Z2,40020,8", "Z4,40028,4", "z2,40020,8", "z0,40000,1"]),
        seed("going", ["vCont?", "vCont;s:2;c", "vCont;c:1", "vCont;c", "c", "s", "S05;40000", "C05", "vCont;c"]),
        seed("monitor", ["qRcmd,68656c70", "jThreadsInfo", "vMustReplyEmpty"]), seed("kill", ["vKill;1"]),
        seed("detach", ["D"]), seed("end", ["k"]), seed("raw", ["!noise$g#00+-", "!\u{3}$m40000,4#2d$p1}\u{3}#00"]),
    ]
}
