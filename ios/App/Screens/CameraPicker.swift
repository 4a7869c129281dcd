// The camera inside the app: what it takes goes to a scratch file, never to the photo library.
// Not here: turning, shrinking and stripping, which the core does.

import SwiftUI
import UniformTypeIdentifiers

struct CameraPicker: UIViewControllerRepresentable {
    enum Taken {
        case shot(Shot)
        case nothing
        /// It could not be put into the scratch folder, and is gone.
        case lost
    }

    let seconds: TimeInterval
    let onDone: (Taken) -> Void

    @MainActor static var isAvailable: Bool { UIImagePickerController.isSourceTypeAvailable(.camera) }

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let picker = UIImagePickerController()
        picker.sourceType = .camera
        picker.mediaTypes = [UTType.image.identifier, UTType.movie.identifier]
        picker.videoMaximumDuration = seconds
        picker.videoQuality = .typeHigh
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_ picker: UIImagePickerController, context: Context) {}

    func makeCoordinator() -> Coordinator {
        Coordinator(onDone)
    }

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let onDone: (Taken) -> Void

        init(_ onDone: @escaping (Taken) -> Void) {
            self.onDone = onDone
        }

        func imagePickerController(
            _ picker: UIImagePickerController,
            didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            let shot: Shot?
            if let recorded = info[.mediaURL] as? URL {
                shot = film(recorded)
            } else {
                shot = (info[.originalImage] as? UIImage).flatMap(photo)
            }
            onDone(shot.map { .shot($0) } ?? .lost)
        }

        func imagePickerControllerDidCancel(_ picker: UIImagePickerController) {
            onDone(.nothing)
        }

        private func film(_ recorded: URL) -> Shot? {
            let files = FileManager.default
            do {
                let file = try Places.scratch("mov")
                // It keeps the class that the camera gave it, which opens it while the device is locked.
                try files.setAttributes([.protectionKey: FileProtectionType.complete], ofItemAtPath: recorded.path)
                try files.moveItem(at: recorded, to: file)
                return Shot(file: file, isVideo: true)
            } catch {
                try? files.removeItem(at: recorded)
                return nil
            }
        }

        // The core takes JPEG, and the camera may give HEIC. It shrinks the picture anyway, so this first
        // encoding is nearly lossless.
        private func photo(_ image: UIImage) -> Shot? {
            guard let file = try? Places.scratch("jpg"), let bytes = image.jpegData(compressionQuality: 0.95),
                  (try? bytes.write(to: file, options: [.atomic, .completeFileProtection])) != nil
            else { return nil }
            return Shot(file: file, isVideo: false)
        }
    }
}
