// The camera inside the app: what it takes goes to a scratch file, never to the photo library.
// Not here: turning, shrinking and stripping, which the core does.

import SwiftUI
import UniformTypeIdentifiers

struct CameraPicker: UIViewControllerRepresentable {
    let seconds: TimeInterval
    let onDone: (Shot?) -> Void

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
        private let onDone: (Shot?) -> Void

        init(_ onDone: @escaping (Shot?) -> Void) {
            self.onDone = onDone
        }

        func imagePickerController(
            _ picker: UIImagePickerController,
            didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            onDone((info[.mediaURL] as? URL).flatMap(film) ?? (info[.originalImage] as? UIImage).flatMap(photo))
        }

        func imagePickerControllerDidCancel(_ picker: UIImagePickerController) {
            onDone(nil)
        }

        private func film(_ recorded: URL) -> Shot? {
            guard let file = try? Places.scratch("mov"),
                  (try? FileManager.default.moveItem(at: recorded, to: file)) != nil,
                  // It keeps the class that the camera gave it, which opens it while the device is locked.
                  (try? FileManager.default.setAttributes([.protectionKey: FileProtectionType.complete],
                                                          ofItemAtPath: file.path)) != nil
            else { return nil }
            return Shot(file: file, isVideo: true)
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
