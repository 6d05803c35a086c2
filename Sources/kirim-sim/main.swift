print("kirim-sim")
