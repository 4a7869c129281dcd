plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
    id("org.jetbrains.kotlin.plugin.compose")
}

// The town's own Firebase project, from ~/.gradle/gradle.properties. Without it the app works without pushes.
val firebase = mapOf(
    "google_app_id" to "renraku.firebase.appId",
    "google_api_key" to "renraku.firebase.apiKey",
    "gcm_defaultSenderId" to "renraku.firebase.senderId",
    "project_id" to "renraku.firebase.projectId",
)

android {
    namespace = "jp.renraku.app"
    compileSdk = 35

    defaultConfig {
        applicationId = "jp.renraku.app"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        resourceConfigurations += "ja"
        for ((resource, property) in firebase) {
            val value = providers.gradleProperty(property).orNull ?: continue
            resValue("string", resource, value)
        }
    }

    buildFeatures {
        compose = true
        resValues = true
    }

    // The bindings that mobile-bindings/generate.sh writes.
    sourceSets["main"].kotlin.srcDir("../generated")

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17)
    }
}

dependencies {
    // From 5.17 on its own library may lie in pages of 16 KiB.
    implementation("net.java.dev.jna:jna:5.17.0@aar")
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.9.0")

    implementation(platform("androidx.compose:compose-bom:2024.12.01"))
    implementation("androidx.compose.material3:material3")
    implementation("androidx.activity:activity-compose:1.9.3")
    implementation("androidx.fragment:fragment-ktx:1.8.5")
    // The theme, for the dialogs of androidx.biometric.
    implementation("androidx.appcompat:appcompat:1.7.0")
    implementation("androidx.lifecycle:lifecycle-viewmodel-ktx:2.8.7")
    implementation("androidx.lifecycle:lifecycle-runtime-compose:2.8.7")
    implementation("androidx.biometric:biometric:1.1.0")
    implementation("androidx.work:work-runtime-ktx:2.10.0")

    val camera = "1.4.1"
    implementation("androidx.camera:camera-camera2:$camera")
    implementation("androidx.camera:camera-video:$camera")
    implementation("androidx.camera:camera-view:$camera")

    implementation(platform("com.google.firebase:firebase-bom:33.7.0"))
    implementation("com.google.firebase:firebase-messaging")
    implementation("com.google.android.gms:play-services-code-scanner:16.1.0")
}
