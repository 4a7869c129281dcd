// Getting a certificate of a town: the first one, that of a further town, or another one of the town in use. Not here: the
// form itself and the way to it, which are AppModel's.

import RenrakuCore

extension AppModel {
    func enrol(publicUrl: String, slug: String, number: String, password: String, deviceName: String) async {
        guard device != nil, !busy else { return }
        let form = EnrolmentForm(
            publicUrl: trimmed(publicUrl), slug: trimmed(slug), number: trimmed(number),
            password: trimmed(password), deviceName: trimmed(deviceName), platform: .ios)
        await attempt {
            let place = self.adding ? form.slug : self.place
            guard let free = self.adding ? try await self.towns.room(for: form.slug) : await self.own(form.slug) else {
                self.trouble = "この自治体の証明書は、この端末にもうあります。"
                return
            }
            _ = try await free.certificate().enrol(form: form)
            self.towns.last = place
            try await self.use(free, at: place)
        }
        // One that was found again is offered, too.
        await findOthers()
    }

    /// The device in use, unless the slug is that of another town of this device.
    private func own(_ slug: String) async -> RenrakuDevice? {
        await towns.enrolled().contains { $0.slug != place && $0.town.slug == slug } ? nil : device
    }
}
