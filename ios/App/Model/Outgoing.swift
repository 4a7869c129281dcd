// What waits on this device, as it is made and sent: one pass at a time, and the next one planned. Not here: what is
// shown of it, which is WorkModel's; retries and the order of sending, which are the core's.

import Foundation
import RenrakuCore

@MainActor
final class Outgoing {
    private let session: RenrakuSession
    private let onFault: (Error) async -> Void
    private let onProgress: (Float?) -> Void
    private let onChange: (UInt32) async -> Void
    private var closed = false
    /// Ends what is under way, and nothing that is asked for afterwards.
    private var stop = CancelToken()
    private var preparing: Task<Void, Never>?
    /// How many preparations are under way or wait for the one before.
    private var preparations = 0
    private var pass: Task<UInt32, Never>?
    /// Somebody asked for a pass while one was under way.
    private var hurry = false
    private var again: Task<Void, Never>?

    /// `onProgress` hears how far films and pictures are made, 0 to 1, and none at the end; `onChange` that the outbox
    /// changed, and how many posts were sent.
    init(
        session: RenrakuSession, onFault: @escaping (Error) async -> Void, onProgress: @escaping (Float?) -> Void,
        onChange: @escaping (UInt32) async -> Void
    ) {
        self.session = session
        self.onFault = onFault
        self.onProgress = onProgress
        self.onChange = onChange
    }

    func close() {
        closed = true
        stop.cancel()
        again?.cancel()
    }

    /// Makes what waits to be made, also of what an earlier run of the app left, and sends it. Returns at once.
    func prepare() {
        guard !closed else { return }
        let (before, stop) = (preparing, self.stop)
        let ear = ProgressEar { [weak self] done in
            Task { @MainActor in self?.onProgress(done < 1 ? done : nil) }
        }
        preparations += 1
        preparing = Task {
            await before?.value
            defer { self.preparations -= 1 }
            guard !stop.isCancelled() else { return }
            do {
                _ = try await self.session.until(cancelled: stop).outbox().prepare(progress: ear)
            } catch {
                await self.onFault(error)
            }
            self.onProgress(nil)
            await self.onChange(0)
            // One that could not be read just now holds up none that was made.
            if !stop.isCancelled() { await self.flush(now: true) }
        }
    }

    /// One pass over what waits, and the next one planned when something remains. While one is under way it is told to
    /// go on, and this returns at once.
    func flush(now: Bool) async {
        guard !closed else { return }
        guard pass == nil else {
            hurry = hurry || now
            return
        }
        // A task of its own: a screen that goes does not break it off.
        let mine = Task { await self.goOver(now: now) }
        pass = mine
        await onChange(await mine.value)
    }

    /// Gives how many posts were sent.
    private func goOver(now: Bool) async -> UInt32 {
        var (now, sent, goesOn) = (now, UInt32(0), true)
        while goesOn, !closed {
            let stop = self.stop
            hurry = false
            again?.cancel()
            var next: Timestamp?
            do {
                let report = try await session.until(cancelled: stop).outbox().flush(now: now)
                sent += report.sent
                next = report.nextTryAt
            } catch {
                await onFault(error)
            }
            // What was asked for meanwhile may have come too late for this pass: the network that is back, say; or
            // the return to the app, for one that was stopped after it was left.
            goesOn = hurry && (next != nil || stop.isCancelled())
            now = true
            if !goesOn, let next { plan(at: next) }
        }
        pass = nil
        return sent
    }

    private func plan(at millis: Timestamp) {
        let wait = max(1, Double(millis) / 1000 - Date().timeIntervalSince1970)
        again = Task { [weak self] in
            try? await Task.sleep(nanoseconds: UInt64(wait * 1_000_000_000))
            if !Task.isCancelled { await self?.flush(now: false) }
        }
    }

    /// The app is left: one more pass, and returns when nothing is being made or sent any more, or it is stopped.
    func finish() async {
        let stop = self.stop
        await flush(now: true)
        while !closed, !stop.isCancelled() {
            if let pass {
                _ = await pass.value
            } else if preparations > 0, let preparing {
                await preparing.value
            } else {
                return
            }
        }
    }

    /// No time is left: ends what is being made and sent. What was begun is taken up at the next return.
    func stopNow() {
        hurry = false
        stop.cancel()
        stop = CancelToken()
    }
}
