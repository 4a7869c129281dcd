// The towns that this device has a certificate of. The first lies in the core's folder itself, each further one
// has a place of its own, named by its slug. Not here: which town is in use, which is AppModel's; keys and folders,
// which are the platform's.

import RenrakuCore

/// Opens the device in each of its towns. Asked on the main thread.
@MainActor
protocol Towns: AnyObject {
    /// The slug of the town that was in use last; none for the first town.
    var last: String? { get set }

    /// The slugs of the further towns, also of those whose enrolment was not finished.
    func known() async throws -> [String]

    /// The device in a town, opened once; none for the first town. A slug that is none is the core's `Invalid`.
    func open(town: String?) async throws -> RenrakuDevice
}

/// A town that the person may switch to.
struct TownChoice: Equatable {
    /// None for the device's first town.
    let slug: String?
    let name: String
}

typealias EnrolledTown = (slug: String?, device: RenrakuDevice, town: Municipality)

extension Towns {
    /// The towns that are enrolled: the one that was in use last, the first, the others. One that cannot be opened
    /// now is left out.
    func enrolled() async -> [EnrolledTown] {
        await look(until: { _ in false }).found
    }

    /// Where the device begins: the first of those, or else the first town, to enrol there. When none is enrolled
    /// among those that open, what hinders another is thrown: it may be.
    func home() async throws -> (slug: String?, device: RenrakuDevice) {
        let (found, fault) = await look(until: { !$0.isEmpty })
        if let first = found.first { return (first.slug, first.device) }
        if let fault { throw fault }
        return (nil, try await open(town: nil))
    }

    /// Opens one after the other until it is enough; with the first fault on the way.
    private func look(until enough: ([EnrolledTown]) -> Bool) async -> (found: [EnrolledTown], fault: Error?) {
        var (found, seen): ([EnrolledTown], Set<String?>) = ([], [])
        var fault: Error?
        func look(_ slug: String?) async {
            guard !enough(found), seen.insert(slug).inserted else { return }
            do {
                let device = try await open(town: slug)
                if let town = device.municipality() { found.append((slug, device, town)) }
            } catch let why {
                fault = fault ?? why
            }
        }
        await look(last)
        await look(nil)
        guard !enough(found) else { return (found, fault) }
        do {
            for slug in try await known() { await look(slug) }
        } catch let why {
            fault = fault ?? why
        }
        return (found, fault)
    }

    /// The enrolled towns but one, by name.
    func choices(besides slug: String?) async -> [TownChoice] {
        await enrolled().filter { $0.slug != slug }.map { TownChoice(slug: $0.slug, name: $0.town.name) }
            .sorted { $0.name < $1.name }
    }

    /// The device that the certificate of a further town goes to; none when this device has one of that town. The
    /// vault may hold one whose folder is gone, after a reinstallation: opening its town brings it back.
    func room(for slug: String) async throws -> RenrakuDevice? {
        guard await !enrolled().contains(where: { $0.town.slug == slug }) else { return nil }
        let device = try await open(town: slug)
        return device.municipality() == nil ? device : nil
    }
}
