// The expect files' own rules: what parses, and what is refused with its line.
//
// Read next: Tests/GuestCases/ExpectFile.swift.

import GuestCases
import Testing

@Suite struct ExpectFileTests {
    @Test func everyDirective() throws {
        let cases = try parseExpectFile(
            """
            # a guest
            case first
                run --mem 4  {image} a
                stdin one\\ntwo\\t\\\\\\x00\\xfF
                status 255
                stdout-is
                stdout a  b
                stdout c\\x20
                stderr d

            case second
            status 0
            """, guest: "g")
        #expect(cases.map(\.description) == ["g: first", "g: second"])
        let first = try #require(cases.first)
        #expect(first.arguments == ["--mem", "4", "{image}", "a"])
        #expect(first.input == Array("one\ntwo\t\\\0".utf8) + [255])
        #expect(first.status == 255)
        #expect(first.exactOutput == [])
        #expect(first.output == [Array("a  b".utf8), Array("c ".utf8)])
        #expect(first.error == [Array("d".utf8)])
        #expect(cases[1].arguments == ["{image}"])
        #expect(cases[1].input == nil)
        #expect(cases[1].exactOutput == nil)
    }

    @Test(arguments: [
        ("", 1), ("# nothing\n", 1), ("status 0\n", 1), ("case\n", 1), ("case a\n", 1),
        ("case a\nstatus 0\ncase b\ncase c\nstatus 0\n", 3), ("case a\nstatus 0\ncase a\nstatus 0\n", 3),
        ("case a\nstatus\n", 2), ("case a\nstatus 256\n", 2), ("case a\nstatus -1\n", 2), ("case a\nstatus 0x1\n", 2),
        ("case a\nstatus 0\nstatus 0\n", 3), ("case a\nrun x\nrun y\nstatus 0\n", 3), ("case a\nstats 0\n", 2),
        ("case a\nstatus 0\nstdout\n", 3), ("case a\nstdout x \nstatus 0\n", 2), ("case a\nstdin \\q\nstatus 0\n", 2),
        ("case a\nstdin \\x0\nstatus 0\n", 2), ("case a\nstdin \\xg0\nstatus 0\n", 2), ("case a\nstdin \\\n", 2),
    ])
    func mistakesAreFoundInTheirLine(text: String, line: Int) {
        let error = #expect(throws: ExpectError.self) { try parseExpectFile(text, guest: "g") }
        #expect(error?.line == line)
    }
}
