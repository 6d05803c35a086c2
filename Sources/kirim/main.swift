print("kirim")
