// Chrome's trace event format, as Perfetto, speedscope and chrome://tracing read it: an array of objects, one a line.
//
// Two tracks for each vCPU: "guest" holds KVM_RUN, from each entry to its exit, and "handler" what the machine did about the exit. The
// format lets the closing bracket be missing, so a trace whose writer was killed opens as well. Format: "Trace Event
// Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Read next: TraceText.swift.

enum TraceJSON {
    private enum Track: Int { case guest = 1, handler = 2 }

    static func header(_ title: String, _ vcpus: Int) -> [UInt8] {
        var bytes = Array("[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"".utf8)
        bytes.add(json: title)
        bytes.add("\"}}")
        for vcpu in 0..<vcpus {
            for (track, name) in [(Track.guest, "guest"), (.handler, "handler")] {
                let name = vcpus == 1 ? name : "vCPU \(vcpu) \(name)"
                bytes.add(
                    ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":\(2 * vcpu + track.rawValue),"
                        + "\"args\":{\"name\":\"\(name)\"}}")
            }
        }
        return bytes
    }

    static func append(_ item: TraceItem, to bytes: inout [UInt8]) {
        switch item {
        case .exit(let event, let rip, let place):
            slice("guest", .guest, event.vcpu, from: event.entered, to: event.left, &bytes)
            bytes.add(",\"args\":{\"until\":\"")
            bytes.add(event.name)
            bytes.add("\"}}")
            slice(event.name, .handler, event.vcpu, from: event.began, to: event.handled, &bytes)
            arguments(event, rip, place, &bytes)
        case .injection(let vector, let time, let vcpu):
            instant("interrupt \(vector)", scope: "t", .guest, vcpu, time, &bytes)
            bytes.add(",\"args\":{\"vector\":\(vector)}}")
        case .stop(let why, let status, let time):
            instant("stop: \(why)", scope: "p", .handler, nil, time, &bytes)
            bytes.add(",\"args\":{\"status\":\(status)}}")
        }
    }

    private static func begin(
        _ name: String, _ phase: String, _ track: Track, _ vcpu: Int?, _ bytes: inout [UInt8]
    ) {
        bytes.add(",\n{\"name\":\"")
        bytes.add(json: name)
        bytes.add("\",\"ph\":\"")
        bytes.add(phase)
        bytes.add("\",\"pid\":1,\"tid\":")
        bytes.add(digits: UInt64(2 * (vcpu ?? 0) + track.rawValue), atLeast: 1)
        bytes.add(",\"ts\":")
    }

    private static func slice(
        _ name: String, _ track: Track, _ vcpu: Int?, from start: UInt64, to end: UInt64, _ bytes: inout [UInt8]
    ) {
        begin(name, "X", track, vcpu, &bytes)
        bytes.add(microseconds: start)
        bytes.add(",\"dur\":")
        bytes.add(microseconds: end &- start)
    }

    private static func instant(
        _ name: String, scope: String, _ track: Track, _ vcpu: Int?, _ time: UInt64, _ bytes: inout [UInt8]
    ) {
        begin(name, "i", track, vcpu, &bytes)
        bytes.add(microseconds: time)
        bytes.add(",\"s\":\"\(scope)\"")
    }

    /// Numbers as hexadecimal text: JSON's own lose precision above 2^53 in most readers.
    private static func arguments(_ event: ExitEvent, _ rip: UInt64, _ place: String?, _ bytes: inout [UInt8]) {
        bytes.add(",\"args\":{\"rip\":\"")
        bytes.add(hex: rip)
        if let place {
            bytes.add("\",\"symbol\":\"")
            bytes.add(json: place)
        }
        bytes.add("\",\"reason\":\"")
        bytes.add(event.key.kind.rawValue)
        if let name = event.key.kind.detailName {
            bytes.add("\",\"")
            bytes.add(name)
            bytes.add("\":\"")
            bytes.add(hex: event.key.detail)
        }
        if let data = event.data {
            bytes.add("\",\"data\":\"")
            bytes.add(hex: data)
        }
        bytes.add("\"")
        if event.size > 0 {
            bytes.add(",\"size\":")
            bytes.add(digits: UInt64(event.size), atLeast: 1)
        }
        bytes.add("}}")
    }
}
