print("mailworker")
