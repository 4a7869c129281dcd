// Reads one 2-D code with Google's own screen, which needs no camera permission and gives this app the text alone.
// Not here: what the text means, which the core says.

package jp.renraku.app.platform

import android.content.Context
import com.google.mlkit.vision.barcode.common.Barcode
import com.google.mlkit.vision.codescanner.GmsBarcodeScannerOptions
import com.google.mlkit.vision.codescanner.GmsBarcodeScanning

/** Calls one of these on the main thread; none when the person gave up. */
fun readCode(context: Context, onText: (String) -> Unit, onFailure: () -> Unit) {
    val options = GmsBarcodeScannerOptions.Builder().setBarcodeFormats(Barcode.FORMAT_QR_CODE).build()
    GmsBarcodeScanning.getClient(context, options).startScan()
        .addOnSuccessListener { code -> code.rawValue?.let(onText) ?: onFailure() }
        .addOnFailureListener { onFailure() }
}
