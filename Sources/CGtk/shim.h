#pragma once

// The oldest versions that Kirim runs with (Debian 12). What later ones call deprecated gives no
// warning, and what only they have is not offered.
#define GLIB_VERSION_MIN_REQUIRED GLIB_VERSION_2_74
#define GLIB_VERSION_MAX_ALLOWED GLIB_VERSION_2_74
#define GDK_VERSION_MIN_REQUIRED GDK_VERSION_4_8
#define GDK_VERSION_MAX_ALLOWED GDK_VERSION_4_8
#define ADW_VERSION_MIN_REQUIRED ADW_VERSION_1_2
#define ADW_VERSION_MAX_ALLOWED ADW_VERSION_1_2

#include <adwaita.h>
#include <glib-unix.h>
#include <libintl.h>
#include <locale.h>

// Macros that Swift cannot import, as functions.
static inline GType kirim_type_object(void) { return G_TYPE_OBJECT; }
static inline GType kirim_type_boolean(void) { return G_TYPE_BOOLEAN; }
static inline GType kirim_type_string(void) { return G_TYPE_STRING; }

// Where libdispatch's main queue meets another main loop: a descriptor that is readable when the
// queue has work, and the function that does it. libdispatch.so exports both for CoreFoundation,
// whose run loop is built on them; no installed header declares them.
extern int _dispatch_get_main_queue_handle_4CF(void);
extern void _dispatch_main_queue_callback_4CF(void *message);
