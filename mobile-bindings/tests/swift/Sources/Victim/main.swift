// A phone's process that says how far its film's upload is, and ends only by being killed.

import Foundation
import Phone
import RenrakuCore

setvbuf(stdout, nil, _IOLBF, 0)
let words = CommandLine.arguments
let stage = try Stage(port: UInt16(words[1])!)
let device = try await open(URL(fileURLWithPath: words[2]), stage)
try await device.enrol(stage)
let session = try await device.firstSignIn(stage)
_ = try await session.outbox().compose(draft: try draft(stage, words[3], .video))
_ = try await session.outbox().prepare()
print("kept", try stage.ask("sent")["bytes"]!)
try stage.ask("stall 400000")
let sending = Task { try await session.outbox().flush(now: true) }
var seen: UInt64 = 0
while true {
    seen = try await session.outbox().changed(seen: seen, patienceMillis: 1_000)
    let file = try await session.outbox().items()[0].media[0]
    print("uploaded", file.uploaded, file.length)
}
