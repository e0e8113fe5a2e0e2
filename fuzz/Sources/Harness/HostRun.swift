// What `swiftlet host` reads of others with code of its own: definitions, requests, scrapes, a guest's text, a terminal's keys.
//
// The first byte chooses which. Whatever comes, nothing traps, errors have words and a place in the file, and nothing that is
// no printable ASCII gets on a screen. Read next: ../../../Sources/Catalogue/TOMLReader.swift.

import Catalogue
import Hosting

/// Feeds one of the readers.
public func readForHost(_ bytes: UnsafeBufferPointer<UInt8>) {
    let input = Array(bytes.dropFirst())
    switch bytes.first.map({ $0 % 5 }) {
    case 0: readDefinition(input)
    case 1: readControl(input)
    case 2:
        var request = HTTPRequest()
        for byte in input { request.take([byte]) }
        _ = request.verdict
    case 3:
        let lines = PlainText(input).lines
        require(lines.joined().allSatisfy { (0x20...0x7e).contains($0) }, "plain text is printable ASCII")
        for line in lines { _ = wrapped(line, width: 20) }
    case 4:
        var keys = KeyReader()
        _ = keys.take(input)
        _ = keys.settle()
    default: break
    }
}

private func readDefinition(_ input: [UInt8]) {
    guard let text = String(validating: input, as: UTF8.self) else { return }
    do throws(TOMLError) { _ = try TOMLReader.read(text) } catch {
        require((0...input.count).contains(error.offset) && !error.words.isEmpty, "an error has words and a place")
    }
}

private func readControl(_ input: [UInt8]) {
    do throws(ControlError) {
        guard let request = try ControlRequest(received: input) else {
            return require(input.count < ControlRequest.longest, "a request that is too long is refused")
        }
        let again = try ControlRequest(received: Array(request.line.utf8))
        require(again == request, "a request is read as it was sent")
    } catch { require(!error.message.isEmpty, "a refusal has words") }
}

/// One of each, right and wrong.
public func hostSeeds() -> [Seed] {
    func seed(_ name: String, _ kind: UInt8, _ text: String) -> Seed { (name, [kind] + Array(text.utf8)) }
    return [
        seed(
            "definition", 0,
            "# c\nimage = \"a\\u00e9\\n\"\nk = [1, 'b', true, -1_0.5]\n[[disks]]\nname = \"\"\"\na \\\n b\"\"\"\n"),
        seed(
            "tables", 0,
            "t = { a = 1, b = [ ] }\r\n[u]\nl = '''x\ny'''\n[[d]]\n[[d]] # again\nk = \"\\U0001F600\\t\\\"\"\n"),
        seed("list", 1, "list\n"), seed("start", 1, "start a-b.c_1\r\n"), seed("refused", 1, "boom \u{1}\n"),
        seed("scrape", 2, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), seed("other", 2, "POST / HTTP/1.1\n\n"),
        seed("text", 3, "a\tb\r\u{8}\u{1b}[1;31mred\u{1b}]0;t\u{7}\u{1b}Pq\u{1b}\\\u{1b}(B\u{e9}\nnext"),
        seed("keys", 4, "j\u{1b}[A\u{1b}OB\u{1b}[5~\u{1b}[[A\u{1b}]0;x\u{7}\u{1b}[1;5C\u{1b}q\u{1b}"),
    ]
}
