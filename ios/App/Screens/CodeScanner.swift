// Reads one 2-D code with the system's own scanner. Not here: what the text means, which the core says.

import SwiftUI
import VisionKit

struct CodeScanner: UIViewControllerRepresentable {
    /// What was read, or none when the scanner cannot go on.
    let onText: (String?) -> Void

    /// By its hardware.
    @MainActor static var isSupported: Bool { DataScannerViewController.isSupported }
    /// The camera may be used, too: false until the person was asked.
    @MainActor static var isAvailable: Bool { DataScannerViewController.isAvailable }

    func makeUIViewController(context: Context) -> DataScannerViewController {
        let scanner = DataScannerViewController(
            recognizedDataTypes: [.barcode(symbologies: [.qr])], isHighlightingEnabled: true)
        scanner.delegate = context.coordinator
        try? scanner.startScanning()
        return scanner
    }

    func updateUIViewController(_ scanner: DataScannerViewController, context: Context) {}

    func makeCoordinator() -> Coordinator { Coordinator(onText: onText) }

    final class Coordinator: NSObject, DataScannerViewControllerDelegate {
        private let onText: (String?) -> Void
        private var heard = false

        init(onText: @escaping (String?) -> Void) {
            self.onText = onText
        }

        func dataScanner(
            _ scanner: DataScannerViewController, didAdd items: [RecognizedItem], allItems: [RecognizedItem]
        ) {
            for case .barcode(let code) in items {
                guard !heard, let text = code.payloadStringValue else { continue }
                heard = true
                scanner.stopScanning()
                onText(text)
            }
        }

        func dataScanner(
            _ scanner: DataScannerViewController,
            becameUnavailableWithError error: DataScannerViewController.ScanningUnavailable
        ) {
            guard !heard else { return }
            heard = true
            onText(nil)
        }
    }
}
